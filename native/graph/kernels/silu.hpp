// SiLU in training on CPU, with this folder's exponential: LibTorch's gradient takes twice as long.
#pragma once

#include <ATen/core/Tensor.h>

namespace ouaf::graph {

// Whether this file's kernel takes x: float32 or bfloat16 on CPU, dense, not empty.
bool can_silu(const at::Tensor& x);

// x / (1 + e^-x), as x. Differentiable.
at::Tensor silu_for_training(const at::Tensor& x);

}  // namespace ouaf::graph
