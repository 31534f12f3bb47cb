// Comparisons, logic and the choice between two inputs.
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

template <auto function>
Kernel compared(const Build&) {
    return [](Run& run) { run.outputs[0] = function(widened(run.inputs[0]), widened(run.inputs[1])); };
}

Kernel where(const Build&) {
    return [](Run& run) {
        In chosen = run.inputs[1];
        if (needs_widening(chosen))
            run.outputs[0] =
                at::where(run.inputs[0], chosen.to(at::kLong), run.inputs[2].to(at::kLong)).to(chosen.scalar_type());
        else run.outputs[0] = at::where(run.inputs[0], chosen, run.inputs[2]);
    };
}

}  // namespace

std::span<const Op> logic_ops() {
    // Before opset 7 these broadcast by an attribute.
    static constexpr std::array rows{
        Op{.name = "Equal", .since = 7, .build = compared<[](In a, In b) { return at::eq(a, b); }>},
        Op{.name = "Less", .since = 7, .build = compared<[](In a, In b) { return at::lt(a, b); }>},
        Op{.name = "LessOrEqual", .since = 12, .build = compared<[](In a, In b) { return at::le(a, b); }>},
        Op{.name = "Greater", .since = 7, .build = compared<[](In a, In b) { return at::gt(a, b); }>},
        Op{.name = "GreaterOrEqual", .since = 12, .build = compared<[](In a, In b) { return at::ge(a, b); }>},
        Op{.name = "And", .since = 7, .build = compared<[](In a, In b) { return at::logical_and(a, b); }>},
        Op{.name = "Or", .since = 7, .build = compared<[](In a, In b) { return at::logical_or(a, b); }>},
        Op{.name = "Xor", .since = 7, .build = compared<[](In a, In b) { return at::logical_xor(a, b); }>},
        Op{.name = "Not", .build = unary<[](In x) { return at::logical_not(x); }>},
        Op{.name = "Where", .since = 9, .trainable = inputs(1, 2), .build = where},
    };
    return rows;
}

}  // namespace ouaf::graph
