// What looks at how often each value occurs in a channel. Pictures [n, h, w, c] float32 in 0..255, contiguous, changed
// in place.
#pragma once

#include <ATen/core/Tensor.h>

namespace ouaf {

// Pillow's ImageOps.equalize, to the byte, after rounding to bytes: value v becomes (pixels below v + step / 2) / step
// in whole numbers, where step is a 255th of all pixels but those of the brightest value. A channel whose step is 0
// stays.
void equalise(at::Tensor& pictures);

// torchvision's autocontrast: each channel stretched so that it reaches from 0 to 255; one of a single value stays.
void stretch_contrast(at::Tensor& pictures);

}  // namespace ouaf
