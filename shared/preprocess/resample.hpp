// Resizing with antialiasing, in integers: the same bytes on every machine.
#pragma once

#include <string_view>

#include "shared/preprocess/image.hpp"

namespace ouaf {

// Kernels, widened by the scale when shrinking:
//   area    every source pixel weighs as much as it covers of the output pixel (OpenCV's INTER_AREA)
//   linear  triangle of radius 1 (Pillow's BILINEAR)
//   cubic   Keys' kernel of radius 2, a = -0.5 (Pillow's BICUBIC)
// linear and cubic give Pillow's bytes: weights in 22 fractional bits, rows first, 8 bits between the passes.
enum class Filter { area, linear, cubic };

// A part of the resized picture, in its pixels.
struct Window {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
};

// The part `window` of `source` resized to width x height; only what the window needs is computed.
Image resize(const Image& source, int width, int height, Filter filter, Window window);

}  // namespace ouaf
