// Depthwise convolution (one filter a channel) for training on CPU. A filter is so small that the work is reading the
// image: each is read while it lies in the cache, uneven padding ('SAME' of a stride) costs nothing, and the gradients
// of image and weight are made together.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace ouaf::graph {

// What stands around and between: height, width.
struct DepthwiseWindow {
    std::array<std::int64_t, 2> stride{1, 1};
    std::array<std::int64_t, 2> before{0, 0};  // zeros
    std::array<std::int64_t, 2> after{0, 0};
};

// Whether this file's kernel takes x [n, channels, h, w] with weight [channels, 1, kh, kw]: as are_lane_images says,
// weight of the same type, at most 7x7.
bool can_convolve_depthwise(const at::Tensor& x, const at::Tensor& weight);

// bias: [channels] of any type, or undefined. -> [n, channels, out h, out w], channels_last. Differentiable by all.
at::Tensor convolve_depthwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const DepthwiseWindow& window);

}  // namespace ouaf::graph
