// What fuse/batch_norms.cpp makes: a batch norm with the residual sum and the activation after it, and the mean over
// the image that a squeeze-and-excite block reads.
#include <array>
#include <memory>

#include "native/graph/kernels/batch_norm.hpp"
#include "native/graph/ops/batch_norm.hpp"

namespace ouaf::graph {

namespace {

Activation activation_of(const Build& build) {
    const auto name = build.attribute<std::string>("activation", "");
    return name == "relu" ? Activation::relu : name == "silu" ? Activation::silu : Activation::none;
}

at::Tensor activated(const at::Tensor& z, Activation activation) {
    if (activation == Activation::relu) return at::relu(z);
    return activation == Activation::silu ? at::silu(z) : z;
}

// y and, where the node has a second output, its mean over height and width. The batch norm's own row runs where the
// statistics aren't the batch's or the kernel doesn't take the input.
Kernel fused_batch_norm(const Build& build) {
    const double epsilon = build.attribute("epsilon", 1e-5f);
    const double momentum = build.attribute("momentum", 0.9f);
    const bool has_running = build.constant(3) && build.constant(4);
    const bool pooled = build.node.outputs.size() > 1;
    const Activation activation = activation_of(build);
    Node alone = build.node;
    alone.inputs.resize(5);
    alone.outputs.resize(1);
    const Kernel plain = find_op("", "BatchNormalization", build.opset)->build(Build{build.graph, alone, build.opset});
    return [=](Run& run) {
        const at::Tensor& x = run.inputs[0];
        const at::Tensor& scale = run.inputs[1];
        const at::Tensor& bias = run.inputs[2];
        const at::Tensor& residual = run.inputs[5];
        if (run.training && !run.shared_batch && has_running && scale.requires_grad() &&
            scale.scalar_type() == at::kFloat && bias.scalar_type() == at::kFloat &&
            can_normalise_activated(x, residual)) {
            const NormalisedBatch batch = normalise_activated(x, scale, bias, residual, activation, epsilon, pooled);
            run.outputs[0] = batch.y;
            if (pooled) run.outputs[1] = batch.pooled;
            keep_statistics(run, batch.mean, batch.variance, momentum);
            return;
        }
        Run part = run;
        part.inputs = run.inputs.first(5);
        part.outputs = run.outputs.first(1);
        plain(part);
        at::Tensor& y = run.outputs[0];
        y = activated(residual.defined() ? y + residual : y, activation);
        if (pooled) run.outputs[1] = y.mean({2, 3}, true);
    };
}

}  // namespace

std::span<const Op> fused_training_ops() {
    static constexpr std::array rows{
        Op{.name = "BatchNormalization", .build = fused_batch_norm, .domain = "ouaf"},
    };
    return rows;
}

}  // namespace ouaf::graph
