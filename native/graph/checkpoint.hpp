// Gradient checkpointing, https://arxiv.org/abs/1604.06174: the steps are cut into about sqrt(n) segments, only the
// values between segments are kept for the backward pass, and each segment runs once more when its gradients are
// due. For one more forward pass, training needs the activations of one segment and of the cuts, not of all steps.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "native/graph/plan.hpp"

namespace ouaf::graph {

// As run_plan with gradients, and with the same gradients: a segment draws the same random numbers when it runs
// again and leaves running statistics alone. Cuts are put where the fewest values cross them. The gradients can't
// be differentiated again.
std::vector<at::Tensor> run_checkpointed(const std::shared_ptr<const Plan>& plan, const std::string& source,
                                         std::span<const at::Tensor> constants, std::span<const at::Tensor> inputs,
                                         std::span<const int> wanted, const Pass& pass);

// The steps before which the first `steps` steps of the plan are cut.
std::vector<std::size_t> checkpoints(const Plan& plan, std::size_t steps);

}  // namespace ouaf::graph
