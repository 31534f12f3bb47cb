// Boxes that are emptied, and pictures that are mixed with others of their batch.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "native/data/augment/augment_recipe.hpp"

namespace ouaf {

struct Batch {
    at::Tensor images;   // [n, channels, side, side] float32, normalised, channels_last
    at::Tensor targets;  // [n, classes]
    double weight = 1;   // of a share: its part of the whole batch, see share.hpp
};

// Boxes of a batch as torchvision's RandomErasing draws them, 0.02 to 0.33 of the area at ratios of 0.3 to 3.3, [n, 4]
// int64 on the CPU: top, left, height, width in pixels of the side; of no size where nothing is emptied. Undefined
// where the recipe has none. A box that is longer than the side is cut to it, where RandomErasing draws another.
at::Tensor draw_erased(std::int64_t n, const AugmentRecipe& recipe, std::int64_t side, at::Generator& generator);

// images [n, c, side, side], normalised: the boxes become 0, the mean.
void erase(at::Tensor& images, const at::Tensor& boxes);

// Mixup or cutmix, or one of both by chance, in place, with one share for the whole batch; a picture's partner stands
// as far from the end as it stands from the start.
void mix(Batch& batch, const AugmentRecipe& recipe, at::Generator& generator);

}  // namespace ouaf
