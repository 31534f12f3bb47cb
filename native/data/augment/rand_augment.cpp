// See rand_augment.hpp.
#include "native/data/augment/rand_augment.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <iterator>
#include <numbers>

#include "native/data/augment/colour.hpp"
#include "native/data/augment/draws.hpp"
#include "native/data/augment/histogram.hpp"

namespace ouaf {
namespace {

enum class Operation {
    identity,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    rotate,
    brightness,
    colour,
    contrast,
    sharpness,
    posterise,
    solarise,
    auto_contrast,
    equalise
};

constexpr std::int64_t operation_count = std::size(rand_augment_names);
constexpr double bins = 30;  // 31 magnitudes, from 0

// From places of the result to places of the picture, both [n, 2, 3] in -1..1. by [n]: shears, shifts in whole pixels
// of the side, or radians.
at::Tensor matrices(Operation operation, const at::Tensor& by, std::int64_t side) {
    const at::Tensor zero = at::zeros_like(by);
    const at::Tensor one = at::ones_like(by);
    const at::Tensor shift = by * (-2.0 / static_cast<double>(side));
    const auto affine = [](const std::array<at::Tensor, 3>& x, const std::array<at::Tensor, 3>& y) {
        return at::stack({at::stack(x, 1), at::stack(y, 1)}, 1);
    };
    switch (operation) {
        // Sheared about the upper left corner.
        case Operation::shear_x: return affine({one, by, by}, {zero, one, zero});
        case Operation::shear_y: return affine({one, zero, zero}, {by, one, by});
        case Operation::translate_x: return affine({one, zero, shift}, {zero, one, zero});
        case Operation::translate_y: return affine({one, zero, zero}, {zero, one, shift});
        default: return affine({by.cos(), -by.sin(), zero}, {by.sin(), by.cos(), zero});
    }
}

void resample(at::Tensor& pictures, Operation operation, const at::Tensor& by) {
    constexpr std::int64_t bilinear = 0;
    constexpr std::int64_t zeros = 0;
    const std::int64_t side = pictures.size(1);
    const at::Tensor theta = matrices(operation, by, side).to(pictures.device());
    const at::Tensor planes = pictures.permute({0, 3, 1, 2});
    const at::Tensor grid = at::affine_grid_generator(theta, planes.sizes(), /*align_corners=*/false);
    pictures.copy_(at::grid_sampler(planes, grid, bilinear, zeros, /*align_corners=*/false).permute({0, 2, 3, 1}));
}

// signs [n]
void run(Operation operation, at::Tensor& pictures, double strength, const at::Tensor& signs) {
    const auto side = static_cast<double>(pictures.size(1));
    const at::Tensor factor = 1 + signs * (0.9 * strength);
    switch (operation) {
        case Operation::identity: return;
        case Operation::shear_x:
        case Operation::shear_y: return resample(pictures, operation, signs * (0.3 * strength));
        case Operation::translate_x:
        case Operation::translate_y:
            return resample(pictures, operation, signs * std::floor(150.0 / 331 * side * strength));
        case Operation::rotate: return resample(pictures, operation, signs * (strength * std::numbers::pi / 6));
        case Operation::brightness: return scale_brightness(pictures, factor);
        case Operation::colour: return scale_saturation(pictures, factor);
        case Operation::contrast: return scale_contrast(pictures, factor);
        case Operation::sharpness: return scale_sharpness(pictures, factor);
        case Operation::posterise: return posterise(pictures, at::full_like(signs, 8 - std::nearbyint(4 * strength)));
        case Operation::solarise: return solarise(pictures, at::full_like(signs, 255 * (1 - strength)));
        case Operation::auto_contrast: return stretch_contrast(pictures);
        case Operation::equalise: return equalise(pictures);
    }
}

}  // namespace

RandAugment RandAugment::part(std::int64_t first, std::int64_t last) const {
    return {part_of(operations, first, last), part_of(signs, first, last), magnitude};
}

RandAugment draw_rand_augment(std::int64_t n, const AugmentRecipe& recipe, at::Generator& generator) {
    if (recipe.randaugment == 0) return {};
    const std::int64_t each = recipe.randaugment;
    const at::Tensor operations = at::randint(operation_count, {n, each}, generator, at::kLong);
    const at::Tensor signs = 1 - 2 * happens(n * each, 0.5, generator).to(at::kFloat);
    return {operations, signs.view({n, each}), recipe.randaugment_magnitude};
}

void apply(const RandAugment& drawn, at::Tensor& pictures) {
    if (!drawn.operations.defined()) return;
    for (std::int64_t turn = 0; turn < drawn.operations.size(1); ++turn)
        for (std::int64_t each = 0; each < operation_count; ++each) {
            const at::Tensor chosen = drawn.operations.select(1, turn) == each;
            change_chosen(pictures, chosen, [&](at::Tensor& part) {
                run(static_cast<Operation>(each), part, drawn.magnitude / bins,
                    drawn.signs.select(1, turn).masked_select(chosen));
            });
        }
}

}  // namespace ouaf
