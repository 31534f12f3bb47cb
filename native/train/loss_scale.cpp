// See loss_scale.hpp.
#include "native/train/loss_scale.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

namespace ouaf {

void LossScale::watch(bool finite) {
    constexpr int steps_to_grow = 2000;
    constexpr double largest = std::numeric_limits<float>::max();
    if (!finite) {
        factor /= 2;
        steps = 0;
    } else if (++steps == steps_to_grow) {
        if (factor * 2 <= largest) factor *= 2;
        steps = 0;
    }
}

bool unscale_gradients(std::span<const ParameterGroup> groups, double factor) {
    const at::NoGradGuard no_gradients;
    const std::vector<at::Tensor> gradients = gradients_of(groups);
    if (gradients.empty()) return true;
    const auto options = gradients[0].options().dtype(at::kFloat);
    at::Tensor found = at::zeros({}, options);
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found, at::full({}, 1 / factor, options));
    return found.item<float>() == 0;
}

}  // namespace ouaf
