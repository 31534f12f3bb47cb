// Colours of a batch. Pictures are [n, h, w, c] float32 in 0..255 of one or three channels, contiguous, changed in
// place and cut at 0 and 255; factors [n] float32, on any device. The formulas are
// torchvision.transforms.v2.functional's for floating pictures (adjust_brightness, …), with Pillow's weights of grey,
// 0.299, 0.587, 0.114.
//
// Of Jitter each operation is drawn by itself and comes in the order of its fields, where torchvision's ColorJitter
// shuffles four of them.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>

#include "native/data/augment/augment_recipe.hpp"

namespace ouaf {

void scale_brightness(at::Tensor& pictures, const at::Tensor& factors);
void scale_contrast(at::Tensor& pictures, const at::Tensor& factors);    // away from the mean of each picture's grey
void scale_saturation(at::Tensor& pictures, const at::Tensor& factors);  // away from each pixel's grey
void turn_hue(at::Tensor& pictures, const at::Tensor& turns);            // HSV's hue, in turns of the whole circle
void scale_sharpness(at::Tensor& pictures, const at::Tensor& factors);   // away from Pillow's SMOOTH, edges kept
void posterise(at::Tensor& pictures, const at::Tensor& bits);            // the upper bits of each byte are kept
void solarise(at::Tensor& pictures, const at::Tensor& thresholds);       // what reaches the threshold is inverted

// Runs `change` on the pictures whose place in chosen, [n] bool on the CPU, is true.
void change_chosen(at::Tensor& pictures, const at::Tensor& chosen, const std::function<void(at::Tensor&)>& change);

// What befalls the colours of each picture of a batch, [n] on the CPU; undefined where the recipe leaves it out.
struct Jitter {
    at::Tensor equalise;                               // bool
    at::Tensor brightness, contrast, saturation, hue;  // float32
    at::Tensor grey;                                   // bool

    Jitter part(std::int64_t first, std::int64_t last) const;
};

Jitter draw_jitter(std::int64_t n, const AugmentRecipe& recipe, at::Generator& generator);

void recolour(at::Tensor& pictures, const Jitter& jitter);

}  // namespace ouaf
