// Losses that a training graph carries: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
#include <ATen/core/Reduction.h>

#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

std::int64_t reduction_of(const Build& build) {
    const auto name = build.attribute<std::string>("reduction", "mean");
    if (name == "mean") return at::Reduction::Mean;
    if (name == "sum") return at::Reduction::Sum;
    if (name == "none") return at::Reduction::None;
    build.fail("reduction is '" + name + "'");
}

// scores [n, classes, …], target [n, …], weight [classes] or left out. softmax_first: scores are logits, and the
// second output is their logarithmic softmax.
Kernel loss(const Build& build, bool softmax_first) {
    const auto reduction = reduction_of(build);
    // Without ignore_index nothing is ignored: no class has this number.
    const auto ignored = build.attribute<std::int64_t>("ignore_index", std::int64_t{-1} << 40);
    return [reduction, ignored, softmax_first](Run& run) {
        const at::Tensor scores = softmax_first ? at::log_softmax(run.inputs[0], 1) : run.inputs[0];
        const auto weight = run.has_input(2) ? std::optional<at::Tensor>(run.inputs[2]) : std::nullopt;
        const at::Tensor target = run.inputs[1].to(at::kLong);
        const std::int64_t classes = scores.size(1);
        // One form for any number of axes: the pixels become rows.
        const at::Tensor rows = scores.movedim(1, -1).reshape({-1, classes});
        at::Tensor value = at::nll_loss(rows, target.reshape(-1), weight, reduction, ignored);
        if (reduction == at::Reduction::None) value = value.reshape(target.sizes());
        run.outputs[0] = value;
        if (run.outputs.size() > 1) run.outputs[1] = scores;
    };
}

}  // namespace

std::span<const Op> loss_ops() {
    static constexpr std::array rows{
        Op{.name = "NegativeLogLikelihoodLoss",
           .since = 12,
           .build = [](const Build& build) { return loss(build, false); }},
        Op{.name = "SoftmaxCrossEntropyLoss",
           .since = 12,
           .build = [](const Build& build) { return loss(build, true); }},
    };
    return rows;
}

}  // namespace ouaf::graph
