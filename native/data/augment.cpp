// See augment.hpp.
#include "native/data/augment.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "native/data/augment/colour.hpp"
#include "native/data/augment/rand_augment.hpp"
#include "native/data/augment/whiten.hpp"

namespace ouaf {
namespace {

// What befalls the pictures of a batch, each by itself.
struct Draws {
    Poses poses;
    bool turned = false;  // whether the poses need `move`
    RandAugment operations;
    Jitter jitter;
};

// [1, side * c]: a value of each channel along one row of pixels.
at::Tensor row_of(const std::array<float, 3>& values, const at::Tensor& pictures) {
    const auto channels = static_cast<std::size_t>(pictures.size(3));
    return at::tensor(at::ArrayRef<float>(values.data(), channels), pictures.options())
        .repeat({pictures.size(2)})
        .unsqueeze(0);
}

at::Tensor seen_of(const at::Tensor& pictures, const Draws& draws, std::int64_t side) {
    if (!draws.turned) return cut_out(pictures, draws.poses, side);
    return move(pictures.permute({0, 3, 1, 2}).to(at::kFloat), draws.poses, side).permute({0, 2, 3, 1}).contiguous();
}

// pictures [n, h, w, c] uint8 -> images [n, side, side, c], normalised
void change(const at::Tensor& pictures, const Draws& draws, const PictureForm& form, at::Tensor images) {
    at::Tensor seen = seen_of(pictures, draws, form.side);
    apply(draws.operations, seen);
    recolour(seen, draws.jitter);
    const at::Tensor scale = 1 / (row_of(form.std, seen) * 255);
    const at::Tensor start = -row_of(form.mean, seen) * 255 * scale;
    const std::int64_t rows = seen.size(0) * form.side;
    at::Tensor out = images.view({rows, -1});
    at::addcmul_out(out, start, seen.view({rows, -1}), scale);
}

// pictures of these rows, draws of the whole batch -> [n, c, side, side], channels_last
at::Tensor change_all(const at::Tensor& pictures, const Draws& draws, const ShareRows& rows, const PictureForm& form) {
    const std::int64_t n = pictures.size(0);
    const std::int64_t channels = pictures.size(3);
    const at::Tensor images = at::empty({n, form.side, form.side, channels}, pictures.options().dtype(at::kFloat));
    constexpr std::int64_t cached = 160'000;  // values; of float32 and their like before and after
    const std::int64_t most =
        pictures.is_cpu() ? std::max<std::int64_t>(1, cached / (form.side * form.side * channels)) : n;
    std::int64_t place = 0;
    for (const Rows& part : rows.parts) {
        for (std::int64_t first = part.first; first < part.last; first += most) {
            const std::int64_t last = std::min(first + most, part.last);
            const std::int64_t end = place + last - first;
            change(pictures.slice(0, place, end),
                   {draws.poses.part(first, last), draws.turned, draws.operations.part(first, last),
                    draws.jitter.part(first, last)},
                   form, images.slice(0, place, end));
            place = end;
        }
    }
    return whiten(images, form).permute({0, 3, 1, 2});
}

}  // namespace

at::Tensor plain(const at::Tensor& pictures, const at::Tensor& aspects, const PictureForm& form) {
    at::Generator unused;
    Draws draws;
    draws.poses = draw_poses(aspects, {}, unused);
    return change_all(pictures, draws, rows_of(aspects.size(0), {}), form);
}

Batch augment(const at::Tensor& pictures, const at::Tensor& aspects, const at::Tensor& targets,
              const AugmentRecipe& recipe, const PictureForm& form, at::Generator& generator, const Share& share) {
    const std::int64_t n = aspects.size(0);
    const ShareRows rows = rows_of(n, share);
    Draws draws;
    draws.poses = draw_poses(aspects, recipe, generator);
    draws.turned = turns(recipe);
    draws.operations = draw_rand_augment(n, recipe, generator);
    draws.jitter = draw_jitter(n, recipe, generator);
    const at::Tensor erased = draw_erased(n, recipe, form.side, generator);
    Batch batch{change_all(pictures, draws, rows, form), targets, rows.weight};
    if (erased.defined()) erase(batch.images, rows.of(erased));
    if (recipe.mixup > 0 || recipe.cutmix > 0) mix(batch, recipe, generator);
    return batch;
}

}  // namespace ouaf
