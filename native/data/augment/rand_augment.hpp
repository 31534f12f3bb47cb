// RandAugment, Cubuk et al. 2020, https://arxiv.org/abs/1909.13719: to each picture a few operations out of fourteen,
// one after the other, all of one strength. List, strengths and signs are torchvision.transforms.v2.RandAugment's with
// its 31 magnitudes, the interpolation is bilinear and what comes from beyond the edge is black, as there with
// InterpolationMode.BILINEAR and fill 0.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string_view>

#include "native/data/augment/augment_recipe.hpp"

namespace ouaf {

// Their places are the numbers of the operations.
inline constexpr std::string_view rand_augment_names[]{
    "Identity", "ShearX",   "ShearY",    "TranslateX", "TranslateY", "Rotate",       "Brightness",
    "Color",    "Contrast", "Sharpness", "Posterize",  "Solarize",   "AutoContrast", "Equalize"};

struct RandAugment {
    at::Tensor operations;  // [n, operations a picture] int64 on the CPU; undefined where the recipe has none
    at::Tensor signs;       // the same shape, float32, 1 or -1
    int magnitude = 0;      // 0 to 30

    RandAugment part(std::int64_t first, std::int64_t last) const;
};

RandAugment draw_rand_augment(std::int64_t n, const AugmentRecipe& recipe, at::Generator& generator);

// pictures [n, side, side, c] float32 in 0..255, contiguous, changed in place. An operation runs once over all pictures
// that drew it.
void apply(const RandAugment& drawn, at::Tensor& pictures);

}  // namespace ouaf
