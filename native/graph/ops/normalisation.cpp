// BatchNormalization as inference computes it, and Dropout, which inference leaves out.
#include <array>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

namespace {

// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, each constant [channels]. The running statistics
// are used, never changed, also while gradients are recorded.
Kernel batch_normalisation(const Build& build) {
    if (build.attribute<std::int64_t>("training_mode", 0) != 0)
        build.fail("training_mode 1 is not supported; export the model in evaluation mode");
    for (std::size_t i = 1; i < build.node.outputs.size(); ++i)
        if (!build.node.outputs[i].empty()) build.fail("only the first output is supported; export in evaluation mode");
    const double epsilon = build.attribute("epsilon", 1e-5f);
    return [epsilon](Run& run) {
        run.outputs[0] = at::batch_norm(run.inputs[0], run.inputs[1], run.inputs[2], run.inputs[3], run.inputs[4],
                                        false, 0, epsilon, false);
    };
}

Kernel dropout(const Build& build) {
    if (build.node.outputs.size() > 1 && !build.node.outputs[1].empty())
        build.fail("the second output (mask) is not supported");
    return [](Run& run) { run.outputs[0] = run.inputs[0]; };
}

}  // namespace

std::span<const Op> normalisation_ops() {
    static constexpr std::array rows{
        // Before opset 9 an attribute could ask for statistics of single activations.
        Op{.name = "BatchNormalization",
           .since = 9,
           .trainable = inputs(1, 2),
           .buffers = inputs(3, 4),
           .build = batch_normalisation},
        Op{.name = "Dropout", .since = 7, .build = dropout},
    };
    return rows;
}

}  // namespace ouaf::graph
