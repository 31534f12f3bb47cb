// Training in float16: a gradient below 6e-8 would become 0 there, so the loss is multiplied by a large number before
// the backward pass and the gradients, which are float32, are divided by it afterwards (Micikevicius et al. 2018,
// https://arxiv.org/abs/1710.03740). The number follows PyTorch's torch.amp.GradScaler and its defaults: it begins at
// 2^16, is halved where a gradient is no number, and doubled after 2,000 steps without one in a row.
//
//     (loss * scale.factor).backward();
//     const bool finite = unscale_gradients(groups, scale.factor);
//     if (finite) optimizer.step(rate);
//     scale.watch(finite);
#pragma once

#include <span>

#include "native/train/optimizer.hpp"

namespace ouaf {

struct LossScale {
    double factor = 65536;
    int steps = 0;  // in a row, since the factor changed or a step was skipped

    void watch(bool finite);
};

// Divides the gradients, float32, by the factor. False where one is no number or infinite.
bool unscale_gradients(std::span<const ParameterGroup> groups, double factor);

}  // namespace ouaf
