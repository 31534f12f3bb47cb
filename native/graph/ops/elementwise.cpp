// Arithmetic of two inputs that broadcast as NumPy's do.
#include <array>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

namespace {

bool holds_result(const at::Tensor& x, const at::Tensor& other) {
    return x.scalar_type() == other.scalar_type() && at::infer_size(x.sizes(), other.sizes()) == x.sizes();
}

// a OP b, written over the input that is free and has the result's shape.
template <auto function, auto over_first, auto over_second>
Kernel binary(const Build&) {
    return [](Run& run) {
        at::Tensor& a = run.inputs[0];
        at::Tensor& b = run.inputs[1];
        if (run.may_overwrite(0) && holds_result(a, b)) run.outputs[0] = over_first(a, b);
        else if (run.may_overwrite(1) && holds_result(b, a)) run.outputs[0] = over_second(a, b);
        else run.outputs[0] = function(a, b);
    };
}

using In = const at::Tensor&;
using InOut = at::Tensor&;

constexpr auto add = binary<[](In a, In b) { return a + b; }, [](InOut a, In b) { return a.add_(b); },
                            [](In a, InOut b) { return b.add_(a); }>;
constexpr auto subtract = binary<[](In a, In b) { return a - b; }, [](InOut a, In b) { return a.sub_(b); },
                                 [](In a, InOut b) { return at::sub_out(b, a, b); }>;
constexpr auto multiply = binary<[](In a, In b) { return a * b; }, [](InOut a, In b) { return a.mul_(b); },
                                 [](In a, InOut b) { return b.mul_(a); }>;

// Integers divide towards zero, as in C.
at::Tensor quotient(In a, In b) {
    return at::isIntegralType(a.scalar_type(), false) ? at::div(a, b, "trunc") : at::div(a, b);
}

Kernel divide(const Build&) {
    return [](Run& run) { run.outputs[0] = quotient(run.inputs[0], run.inputs[1]); };
}

}  // namespace

std::span<const Op> elementwise_ops() {
    // Before opset 7 these broadcast by an attribute.
    static constexpr std::array rows{
        Op{.name = "Add", .since = 7, .trainable = inputs(0, 1), .build = add},
        Op{.name = "Sub", .since = 7, .trainable = inputs(0, 1), .build = subtract},
        Op{.name = "Mul", .since = 7, .trainable = inputs(0, 1), .build = multiply},
        Op{.name = "Div", .since = 7, .trainable = inputs(0, 1), .build = divide},
    };
    return rows;
}

}  // namespace ouaf::graph
