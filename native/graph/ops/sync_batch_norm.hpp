// Batch norm by the statistics of a batch that several processes share, each with some of its pictures, as PyTorch's
// SyncBatchNorm: two sums over the processes, one in the forward pass and one in the backward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>

namespace ouaf::graph {

struct SharedBatch {
    // Sums a float64 tensor over the processes, in place. All of them call it in the same order.
    std::function<void(const at::Tensor&)> sum;
    bool counts = true;  // false: this process's pictures are no part of the batch, their gradient is 0
};

struct NormalisedShare {
    at::Tensor y;                          // as x
    std::array<at::Tensor, 2> statistics;  // mean and population variance of the whole batch, [channels] float32
};

// x: [n, channels, ...]; scale, bias: [channels] float32. Differentiable by all three; gradients of scale and bias are
// this process's share of them. Each process's squares
// are about its own mean and the sums float64: they don't cancel. `batch` is copied for it.
NormalisedShare normalise_share(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, double epsilon,
                                const SharedBatch& batch);

}  // namespace ouaf::graph
