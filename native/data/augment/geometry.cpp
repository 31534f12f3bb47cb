// See geometry.hpp.
#include "native/data/augment/geometry.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "native/data/augment/draws.hpp"

namespace ouaf {
namespace {

// The first of ten drawn boxes that lies within the picture, or the largest whose ratio is allowed.
void draw_boxes(Poses& poses, const at::Tensor& aspects, const AugmentRecipe& recipe, at::Generator& generator) {
    constexpr int tries = 10;
    const std::int64_t n = aspects.size(0);
    const double steepest = std::log(4.0 / 3);
    poses.width = (4.0 / 3 / aspects).clamp_max(1);
    poses.height = (aspects * 4 / 3).clamp_max(1);
    at::Tensor found = at::zeros({n}, at::kBool);
    for (int i = 0; i < tries; ++i) {
        const at::Tensor area = uniform(n, recipe.crop[0], recipe.crop[1], generator);
        const at::Tensor ratio = uniform(n, -steepest, steepest, generator).exp();
        const at::Tensor width = (area * ratio / aspects).sqrt();
        const at::Tensor height = (area * aspects / ratio).sqrt();
        const at::Tensor taken = found.logical_not().logical_and(width <= 1).logical_and(height <= 1);
        poses.width = at::where(taken, width, poses.width);
        poses.height = at::where(taken, height, poses.height);
        found = found.logical_or(taken);
    }
    // What fell back stays in the middle.
    const auto place = [&](const at::Tensor& size) {
        return at::where(found, size / 2 + uniform(n, 0, 1, generator) * (1 - size), 0.5);
    };
    poses.centre_x = place(poses.width);
    poses.centre_y = place(poses.height);
}

// [n, 2, 3]: from places in the result to places in the picture, both in -1..1.
at::Tensor matrices(const Poses& poses) {
    const at::Tensor cosine = poses.angle.cos();
    const at::Tensor sine = poses.angle.sin();
    // Keras counts rows first: its matrices, written for (x, y).
    const at::Tensor along = -poses.shear.sin();
    const at::Tensor across = poses.shear.cos();
    const at::Tensor xx = (cosine * across + sine * along) * poses.zoom_x;
    const at::Tensor xy = sine * poses.zoom_y;
    const at::Tensor yx = (-sine * across + cosine * along) * poses.zoom_x;
    const at::Tensor yy = cosine * poses.zoom_y;
    const at::Tensor x0 = 2 * (cosine * poses.shift_x + sine * poses.shift_y);
    const at::Tensor y0 = 2 * (cosine * poses.shift_y - sine * poses.shift_x);
    const auto row = [](const at::Tensor& x, const at::Tensor& y, const at::Tensor& start, const at::Tensor& size,
                        const at::Tensor& centre) {
        return at::stack({x * size, y * size, start * size + 2 * centre - 1}, 1);
    };
    return at::stack({row(xx * poses.mirror, xy, x0, poses.width, poses.centre_x),
                      row(yx * poses.mirror, yy, y0, poses.height, poses.centre_y)},
                     1);
}

// Whole pixels of one axis, [n, 2] int64: where the kept part begins, and how many it has.
at::Tensor whole_pixels(const at::Tensor& centre, const at::Tensor& share, std::int64_t length) {
    const auto pixels = static_cast<double>(length);
    const at::Tensor size = (share * pixels).round().clamp(1, pixels);
    const at::Tensor start = (centre * pixels - size / 2).round().clamp_min(0).minimum(pixels - size);
    return at::stack({start, size}, 1).to(at::kLong);
}

}  // namespace

Poses Poses::part(std::int64_t first, std::int64_t last) const {
    const auto of = [&](const at::Tensor& values) { return values.slice(0, first, last); };
    return {of(centre_x), of(centre_y), of(width),   of(height), of(mirror), of(angle),
            of(shear),    of(shift_x),  of(shift_y), of(zoom_x), of(zoom_y)};
}

Poses draw_poses(const at::Tensor& aspects, const AugmentRecipe& recipe, at::Generator& generator) {
    const std::int64_t n = aspects.size(0);
    Poses poses;
    if (recipe.crop != std::array<double, 2>{1, 1}) {
        draw_boxes(poses, aspects, recipe, generator);
    } else {
        poses.centre_x = poses.centre_y = at::full({n}, 0.5);
        poses.width = (1 / aspects).clamp_max(1);
        poses.height = aspects.clamp_max(1);
    }
    const auto either_way = [&](double most) {
        return most == 0 ? at::zeros({n}) : uniform(n, -most, most, generator);
    };
    constexpr double degree = std::numbers::pi / 180;
    poses.mirror = recipe.flip == 0 ? at::ones({n}) : 1 - 2 * happens(n, recipe.flip, generator).to(at::kFloat);
    poses.angle = either_way(recipe.rotation * degree);
    poses.shear = either_way(recipe.shear * degree);
    poses.shift_x = either_way(recipe.shift);
    poses.shift_y = either_way(recipe.shift);
    poses.zoom_x = either_way(recipe.zoom) + 1;
    poses.zoom_y = either_way(recipe.zoom) + 1;
    return poses;
}

bool turns(const AugmentRecipe& recipe) {
    return recipe.rotation != 0 || recipe.shift != 0 || recipe.shear != 0 || recipe.zoom != 0;
}

at::Tensor move(const at::Tensor& pictures, const Poses& poses, std::int64_t side) {
    constexpr std::int64_t bilinear = 0;
    constexpr std::int64_t border = 1;
    const at::Tensor theta = matrices(poses).to(pictures.device());
    const at::Tensor grid =
        at::affine_grid_generator(theta, {pictures.size(0), pictures.size(1), side, side}, /*align_corners=*/false);
    return at::grid_sampler(pictures, grid, bilinear, border, /*align_corners=*/false);
}

at::Tensor cut_out(const at::Tensor& pictures, const Poses& poses, std::int64_t side) {
    const at::Tensor columns = whole_pixels(poses.centre_x, poses.width, pictures.size(2));
    const at::Tensor rows = whole_pixels(poses.centre_y, poses.height, pictures.size(1));
    const at::Tensor mirrored = poses.mirror < 0;
    const bool fits = pictures.size(1) == side && pictures.size(2) == side;
    if (fits && !mirrored.any().item<bool>() && (columns == rows).all().item<bool>() &&
        (rows.select(1, 1) == side).all().item<bool>())
        return pictures.to(at::kFloat).contiguous();
    const auto column = columns.accessor<std::int64_t, 2>();
    const auto row = rows.accessor<std::int64_t, 2>();
    const auto mirror = mirrored.accessor<bool, 1>();
    at::Tensor seen = at::empty({pictures.size(0), side, side, pictures.size(3)}, pictures.options().dtype(at::kFloat));
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
        at::Tensor part = pictures.slice(0, i, i + 1)
                              .slice(1, row[i][0], row[i][0] + row[i][1])
                              .slice(2, column[i][0], column[i][0] + column[i][1]);
        if (row[i][1] != side || column[i][1] != side) {
            // On the CPU bytes have a kernel of their own; elsewhere there is none for bytes.
            if (!part.is_cpu()) part = part.to(at::kFloat);
            part = at::_upsample_bilinear2d_aa(part.permute({0, 3, 1, 2}), {side, side}, /*align_corners=*/false)
                       .permute({0, 2, 3, 1});
        }
        seen[i].copy_(mirror[i] ? part[0].flip(1) : part[0]);
    }
    return seen;
}

}  // namespace ouaf
