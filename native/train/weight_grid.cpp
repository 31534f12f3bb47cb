// See weight_grid.hpp.
#include "native/train/weight_grid.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "native/graph/quantise.hpp"
#include "native/graph/rounding.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf {

WeightGrid::WeightGrid(graph::Network& network, const graph::Graph& rounded, double reach)
    : WeightGrid(network, graph::weight_steps(rounded), reach) {
    const at::NoGradGuard no_gradients;
    for (const graph::Parameter& parameter : network.parameters()) {
        const at::Tensor value = graph::to_torch(rounded.initializers.at(parameter.name));
        parameter.tensor.copy_(in_units(parameter.tensor, value.to(parameter.tensor.device())));
    }
}

WeightGrid::WeightGrid(graph::Network& network, const std::map<std::string, at::Tensor>& steps, double reach)
    : reach_(reach) {
    for (const graph::Parameter& parameter : network.parameters())
        if (const auto step = steps.find(parameter.name); step != steps.end())
            weights_.push_back({parameter.name, parameter.tensor, step->second.to(parameter.tensor.device())});
}

std::map<std::string, at::Tensor> WeightGrid::steps() const {
    std::map<std::string, at::Tensor> steps;
    for (const Weight& weight : weights_) steps[weight.name] = weight.steps;
    return steps;
}

at::Tensor WeightGrid::in_units(const at::Tensor& parameter, const at::Tensor& value) const {
    const auto is_it = [&](const Weight& weight) { return weight.parameter.is_same(parameter); };
    const auto found = std::ranges::find_if(weights_, is_it);
    return found == weights_.end() ? value : value / (found->steps * reach_);
}

WeightGrid::Use::Use(WeightGrid& grid) : grid_(grid) {
    constexpr int largest = graph::largest_integer;
    const at::NoGradGuard no_gradients;
    for (const Weight& weight : grid_.weights_) {
        exact_.push_back(weight.parameter.detach().clone());
        weight.parameter.copy_((exact_.back() * grid_.reach_).round_().clamp_(-largest, largest).mul_(weight.steps));
    }
}

WeightGrid::Use::~Use() {
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < exact_.size(); ++i) {
        const Weight& weight = grid_.weights_[i];
        weight.parameter.copy_(exact_[i]);
        if (weight.parameter.grad().defined()) weight.parameter.mutable_grad().mul_(weight.steps * grid_.reach_);
    }
}

}  // namespace ouaf
