// Batch norm in training with what stands around it in one operator: y = activation(normalised x [+ residual]), and the
// mean of y over the image where a squeeze-and-excite block asks for it. x is read once for its statistics and once for
// y, and twice more for the gradient, which computes the activation's slope again: nothing between x and y is ever
// written. https://arxiv.org/abs/1712.02616 keeps as little, by inverting the activation.
#pragma once

#include <ATen/core/Tensor.h>

namespace ouaf::graph {

enum class Activation { none, relu, silu };

struct NormalisedBatch {
    at::Tensor y;         // as x
    at::Tensor mean;      // of x over batch and image, [channels] float32
    at::Tensor variance;  // the population's
    at::Tensor pooled;    // [n, channels, 1, 1], as x; undefined unless asked for
};

// Whether this file's kernel takes x [n, channels, h, w]: float32 or bfloat16 on CPU, channels_last, channels a
// multiple of 16, not empty; residual as x, or undefined.
bool can_normalise_activated(const at::Tensor& x, const at::Tensor& residual);

// scale, bias: [channels] float32; no residual where the activation is SiLU, whose slope needs the sum. Differentiable
// by x, scale, bias and residual.
NormalisedBatch normalise_activated(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias,
                                    const at::Tensor& residual, Activation activation, double epsilon, bool pooled);

}  // namespace ouaf::graph
