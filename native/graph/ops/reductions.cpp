// Reductions over axes.
#include <array>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

namespace {

// The axes are an attribute to opset 17 and an input since. Without any, all axes are reduced, or, where
// noop_with_empty_axes says so, none.
Kernel reduce_mean(const Build& build) {
    std::vector<std::int64_t> axes = build.attribute<std::vector<std::int64_t>>("axes", {});
    if (build.has_input(1)) {
        const Tensor* constant = build.constant(1);
        if (!constant) build.fail("axes that are computed are not supported");
        axes = to_int64s(*constant);
    }
    const bool keep = build.attribute<std::int64_t>("keepdims", 1) != 0;
    const bool nothing = axes.empty() && build.attribute<std::int64_t>("noop_with_empty_axes", 0) != 0;
    return [axes, keep, nothing](Run& run) {
        if (nothing) {
            run.outputs[0] = run.inputs[0];
            return;
        }
        run.outputs[0] =
            axes.empty() ? run.inputs[0].mean(at::OptionalIntArrayRef{}, keep) : run.inputs[0].mean(axes, keep);
    };
}

}  // namespace

std::span<const Op> reduction_ops() {
    static constexpr std::array rows{
        Op{.name = "ReduceMean", .build = reduce_mean},
    };
    return rows;
}

}  // namespace ouaf::graph
