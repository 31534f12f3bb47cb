// A squeeze-and-excite block's last step in training: every channel of an image times its gate. The gradients of image
// and gate are made in one reading.
#pragma once

#include <ATen/core/Tensor.h>

namespace ouaf::graph {

// Whether this file's kernel takes x [n, channels, h, w] (as are_lane_images says) and gate [n, channels, 1, 1].
bool can_gate(const at::Tensor& x, const at::Tensor& gate);

// x * gate, as x. Differentiable by both.
at::Tensor gated(const at::Tensor& x, const at::Tensor& gate);

}  // namespace ouaf::graph
