// See mixing.hpp.
#include "native/data/augment/mixing.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "native/data/augment/draws.hpp"

namespace ouaf {
namespace {

// A share from Beta(alpha, alpha).
double draw_share(double alpha, at::Generator& generator) {
    const at::Tensor gamma = at::_standard_gamma(at::full({2}, alpha, at::kDouble), generator);
    return (gamma[0] / gamma.sum()).item<double>();
}

struct Range {
    std::int64_t first, last;
};

// Where a box of this share of the side lies, which may reach over the edge; in pixels.
Range draw_range(double share, std::int64_t side, at::Generator& generator) {
    const double start = uniform(1, -share / 2, 1 - share / 2, generator).item<double>();
    const auto pixel = [&](double place) {
        return std::clamp<std::int64_t>(std::lround(place * static_cast<double>(side)), 0, side);
    };
    return {pixel(start), pixel(start + share)};
}

}  // namespace

at::Tensor draw_erased(std::int64_t n, const AugmentRecipe& recipe, std::int64_t side, at::Generator& generator) {
    if (recipe.erase == 0) return {};
    const auto pixels = static_cast<double>(side);
    const at::Tensor area = uniform(n, 0.02, 0.33, generator);
    const at::Tensor ratio = uniform(n, std::log(0.3), std::log(3.3), generator).exp();
    const at::Tensor chosen = happens(n, recipe.erase, generator);
    const auto length = [&](const at::Tensor& share) {
        return (share.sqrt() * pixels).round().clamp_max(pixels) * chosen;
    };
    const at::Tensor height = length(area * ratio);
    const at::Tensor width = length(area / ratio);
    const auto place = [&](const at::Tensor& size) {
        return (uniform(n, 0, 1, generator) * (pixels - size + 1)).floor().minimum(pixels - size);
    };
    const at::Tensor top = place(height);
    return at::stack({top, place(width), height, width}, 1).to(at::kLong);
}

void erase(at::Tensor& images, const at::Tensor& boxes) {
    const auto box = boxes.accessor<std::int64_t, 2>();
    for (std::int64_t i = 0; i < images.size(0); ++i)
        if (box[i][2] > 0)
            images[i].slice(1, box[i][0], box[i][0] + box[i][2]).slice(2, box[i][1], box[i][1] + box[i][3]).zero_();
}

void mix(Batch& batch, const AugmentRecipe& recipe, at::Generator& generator) {
    const bool both = recipe.mixup > 0 && recipe.cutmix > 0;
    const bool cut = both ? happens(1, 0.5, generator).item<bool>() : recipe.cutmix > 0;
    double kept = draw_share(cut ? recipe.cutmix : recipe.mixup, generator);
    const std::int64_t n = batch.images.size(0);
    const std::int64_t side = batch.images.size(2);
    Range rows{0, side};
    Range columns{0, side};
    double given = 1 - kept;  // of the partner, within rows and columns
    if (cut) {
        const double share = std::sqrt(1 - kept);
        columns = draw_range(share, side, generator);
        rows = draw_range(share, side, generator);
        given = 1;
        kept = 1 - static_cast<double>((rows.last - rows.first) * (columns.last - columns.first)) /
                       static_cast<double>(side * side);
    }
    // Pair by pair: the batch is read and written once, and no second one is made.
    for (std::int64_t i = 0; i < n / 2; ++i) {
        const auto within = [&](std::int64_t place) {
            return batch.images[place].slice(1, rows.first, rows.last).slice(2, columns.first, columns.last);
        };
        at::Tensor one = within(i);
        at::Tensor other = within(n - 1 - i);
        const at::Tensor before = one.clone();
        one.lerp_(other, given);
        other.lerp_(before, given);
    }
    batch.targets = at::lerp(batch.targets.flip(0), batch.targets, kept);
}

}  // namespace ouaf
