// See augment.hpp.
#include "native/data/augment.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace ouaf {
namespace {

at::Tensor uniform(std::int64_t n, double low, double high, at::Generator& generator) {
    return at::rand({n}, generator, at::kFloat) * (high - low) + low;
}

// [n] on the CPU -> [n, 1, 1, 1] where the pictures are.
at::Tensor each_picture(const at::Tensor& values, const at::Tensor& pictures) {
    return values.to(pictures.device(), pictures.scalar_type()).view({-1, 1, 1, 1});
}

at::Tensor happens(std::int64_t n, double likely, at::Generator& generator) {
    return at::rand({n}, generator, at::kFloat) < likely;
}

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

// Rec. 601, as Pillow and torchvision make grey.
at::Tensor grey_of(const at::Tensor& pictures) {
    const at::Tensor weights = at::tensor({0.299f, 0.587f, 0.114f}, pictures.options()).view({1, 3, 1, 1});
    return (pictures * weights).sum(1, true);
}

// pictures in 0..255, changed in place.
void recolour(at::Tensor& pictures, const AugmentRecipe& recipe, at::Generator& generator) {
    const std::int64_t n = pictures.size(0);
    const auto factor = [&](double low, double high) {
        return each_picture(uniform(n, low, high, generator), pictures);
    };
    const auto away_from = [&](const at::Tensor& centre, double by) {
        pictures = at::lerp(centre.expand_as(pictures), pictures, factor(1 - by, 1 + by).expand_as(pictures));
        pictures.clamp_(0, 255);
    };
    if (recipe.brightness != std::array<double, 2>{1, 1})
        pictures.mul_(factor(recipe.brightness[0], recipe.brightness[1])).clamp_(0, 255);
    const bool coloured = pictures.size(1) == 3;
    if (recipe.contrast > 0)
        away_from((coloured ? grey_of(pictures) : pictures).mean(at::IntArrayRef{2, 3}, true), recipe.contrast);
    if (recipe.saturation > 0 && coloured) away_from(grey_of(pictures), recipe.saturation);
    if (recipe.grey > 0 && coloured) {
        const at::Tensor chosen = happens(n, recipe.grey, generator).view({-1, 1, 1, 1}).to(pictures.device());
        pictures = at::where(chosen, grey_of(pictures).expand_as(pictures), pictures);
    }
}

// [n, 1, side, side]: true within a box of each picture. Shares of the side, [n].
at::Tensor boxes(const at::Tensor& left, const at::Tensor& top, const at::Tensor& width, const at::Tensor& height,
                 const at::Tensor& pictures) {
    const auto within = [&](const at::Tensor& from, const at::Tensor& size, std::int64_t axis) {
        std::vector<std::int64_t> shape(4, 1);
        shape[static_cast<std::size_t>(axis)] = -1;
        const std::int64_t side = pictures.size(axis);
        const at::Tensor middles =
            ((at::arange(side, pictures.options()) + 0.5) / static_cast<double>(side)).view(shape);
        const at::Tensor start = each_picture(from, pictures);
        return (middles >= start).logical_and(middles < start + each_picture(size, pictures));
    };
    return within(top, height, 2).logical_and(within(left, width, 3));
}

void erase(at::Tensor& pictures, double likely, at::Generator& generator) {
    const std::int64_t n = pictures.size(0);
    const double steepest = std::log(3.3);
    const at::Tensor area = uniform(n, 0.02, 0.33, generator);
    const at::Tensor ratio = uniform(n, std::log(0.3), steepest, generator).exp();
    const at::Tensor width = (area * ratio).sqrt().clamp_max(1);
    const at::Tensor height = (area / ratio).sqrt().clamp_max(1);
    const at::Tensor left = uniform(n, 0, 1, generator) * (1 - width);
    const at::Tensor top = uniform(n, 0, 1, generator) * (1 - height);
    const at::Tensor chosen = happens(n, likely, generator).view({-1, 1, 1, 1}).to(pictures.device());
    pictures.masked_fill_(boxes(left, top, width, height, pictures).logical_and(chosen), 0);
}

// A share from Beta(alpha, alpha).
double draw_share(double alpha, at::Generator& generator) {
    const at::Tensor gamma = at::_standard_gamma(at::full({2}, alpha, at::kDouble), generator);
    return (gamma[0] / gamma.sum()).item<double>();
}

// One share for the whole batch; a picture's partner stands as far from the end as it stands from the start.
void mix(Batch& batch, const AugmentRecipe& recipe, at::Generator& generator) {
    const bool both = recipe.mixup > 0 && recipe.cutmix > 0;
    const bool cut = both ? happens(1, 0.5, generator).item<bool>() : recipe.cutmix > 0;
    double kept = draw_share(cut ? recipe.cutmix : recipe.mixup, generator);
    const at::Tensor partners = batch.images.flip(0);
    if (cut) {
        const double side = std::sqrt(1 - kept);
        const at::Tensor size = at::full({1}, side);
        const auto place = [&] { return uniform(1, -side / 2, 1 - side / 2, generator); };
        const at::Tensor left = place();
        const at::Tensor inside = boxes(left, place(), size, size, batch.images);
        batch.images = at::where(inside, partners, batch.images);
        kept = 1 - inside.to(at::kDouble).mean().item<double>();  // the box may reach over the edge
    } else {
        batch.images = at::lerp(partners, batch.images, kept);
    }
    batch.targets = at::lerp(batch.targets.flip(0), batch.targets, kept);
}

// Whether pictures of the right size stay as they are.
bool stays(const at::Tensor& pictures, const at::Tensor& aspects, const AugmentRecipe& recipe, std::int64_t side) {
    const bool still = recipe.crop == std::array<double, 2>{1, 1} && recipe.flip == 0 && recipe.rotation == 0 &&
                       recipe.shift == 0 && recipe.shear == 0 && recipe.zoom == 0;
    return still && pictures.size(1) == side && pictures.size(2) == side && at::all(aspects == 1).item<bool>();
}

// [n, h, w, c] uint8 -> [n, c, side, side] float32 in 0..255
at::Tensor moved(const at::Tensor& pictures, const at::Tensor& aspects, const AugmentRecipe& recipe, std::int64_t side,
                 at::Generator& generator) {
    const at::Tensor images = pictures.permute({0, 3, 1, 2}).to(at::kFloat);
    if (stays(pictures, aspects, recipe, side)) return images;
    return move(images, draw_poses(aspects, recipe, generator), side);
}

at::Tensor normalised(const at::Tensor& images, const PictureForm& form) {
    const std::int64_t channels = images.size(1);
    const auto row = [&](const std::array<float, 3>& values) {
        return at::tensor(at::ArrayRef<float>(values.data(), static_cast<std::size_t>(channels)), images.options())
            .view({1, channels, 1, 1});
    };
    return (images - row(form.mean) * 255) / (row(form.std) * 255);
}

}  // namespace

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

at::Tensor move(const at::Tensor& pictures, const Poses& poses, std::int64_t side) {
    constexpr std::int64_t bilinear = 0;
    constexpr std::int64_t border = 1;
    const at::Tensor theta = matrices(poses).to(pictures.device());
    const at::Tensor grid =
        at::affine_grid_generator(theta, {pictures.size(0), pictures.size(1), side, side}, /*align_corners=*/false);
    return at::grid_sampler(pictures, grid, bilinear, border, /*align_corners=*/false);
}

at::Tensor plain(const at::Tensor& pictures, const at::Tensor& aspects, const PictureForm& form) {
    at::Generator unused;
    return normalised(moved(pictures, aspects, {}, form.side, unused), form);
}

Batch augment(const at::Tensor& pictures, const at::Tensor& aspects, const at::Tensor& targets,
              const AugmentRecipe& recipe, const PictureForm& form, at::Generator& generator) {
    at::Tensor images = moved(pictures, aspects, recipe, form.side, generator);
    recolour(images, recipe, generator);
    images = normalised(images, form);
    if (recipe.erase > 0) erase(images, recipe.erase, generator);
    Batch batch{images.contiguous(at::MemoryFormat::ChannelsLast), targets};
    if (recipe.mixup > 0 || recipe.cutmix > 0) mix(batch, recipe, generator);
    return batch;
}

}  // namespace ouaf
