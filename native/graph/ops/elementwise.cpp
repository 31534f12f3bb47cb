// Arithmetic of inputs that broadcast as NumPy's do.
#include <array>

#include "native/graph/kernels/gate.hpp"
#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;
using InOut = at::Tensor&;

bool holds_result(In x, In other) {
    return x.scalar_type() == other.scalar_type() && at::infer_size(x.sizes(), other.sizes()) == x.sizes();
}

// a OP b, written over the input that is free and has the result's shape.
template <auto function, auto over_first, auto over_second>
Kernel binary(const Build&) {
    return [](Run& run) {
        at::Tensor& a = run.inputs[0];
        at::Tensor& b = run.inputs[1];
        if (needs_widening(a)) run.outputs[0] = function(widened(a), widened(b)).to(a.scalar_type());
        else if (run.may_overwrite(0) && holds_result(a, b)) run.outputs[0] = over_first(a, b);
        else if (run.may_overwrite(1) && holds_result(b, a)) run.outputs[0] = over_second(a, b);
        else run.outputs[0] = function(a, b);
    };
}

constexpr auto add = binary<[](In a, In b) { return a + b; }, [](InOut a, In b) { return a.add_(b); },
                            [](In a, InOut b) { return b.add_(a); }>;
constexpr auto subtract = binary<[](In a, In b) { return a - b; }, [](InOut a, In b) { return a.sub_(b); },
                                 [](In a, InOut b) { return at::sub_out(b, a, b); }>;
constexpr auto product = binary<[](In a, In b) { return a * b; }, [](InOut a, In b) { return a.mul_(b); },
                                [](In a, InOut b) { return b.mul_(a); }>;

Kernel multiply(const Build& build) {
    return [plain = product(build)](Run& run) {
        In a = run.inputs[0];
        In b = run.inputs[1];
        if (run.gradients && can_gate(a, b)) run.outputs[0] = gated(a, b);
        else if (run.gradients && can_gate(b, a)) run.outputs[0] = gated(b, a);
        else plain(run);
    };
}

// The result has the first input's type, whatever LibTorch would promote to.
template <auto function>
Kernel plain(const Build&) {
    return [](Run& run) {
        In a = run.inputs[0];
        run.outputs[0] = function(widened(a), widened(run.inputs[1])).to(a.scalar_type());
    };
}

// Integers divide towards zero, as in C. By -1 they are negated: the processor traps where the smallest integer is
// divided by it.
constexpr auto divide = plain<[](In a, In b) {
    if (!at::isIntegralType(a.scalar_type(), false)) return at::div(a, b);
    if (!at::isSignedType(b.scalar_type())) return at::div(a, b, "trunc");
    const at::Tensor negates = b == -1;
    return at::where(negates, a.neg(), at::div(a, b.masked_fill(negates, 1), "trunc"));
}>;

// An integer base with a real exponent is computed as real numbers.
constexpr auto power = plain<[](In a, In b) {
    const bool mixed = at::isIntegralType(a.scalar_type(), false) && !at::isIntegralType(b.scalar_type(), false);
    return mixed ? at::pow(a.to(at::kDouble), b.to(at::kDouble)) : at::pow(a, b);
}>;

// fmod 0: the sign of the divisor, as Python's; 1: of the dividend, as C's.
Kernel modulo(const Build& build) {
    if (build.attribute<std::int64_t>("fmod", 0) != 0) return plain<[](In a, In b) { return at::fmod(a, b); }>(build);
    return plain<[](In a, In b) { return at::remainder(a, b); }>(build);
}

Kernel bit_shift(const Build& build) {
    const auto direction = build.attribute<std::string>("direction", "");
    if (direction != "LEFT" && direction != "RIGHT") build.fail("direction is '" + direction + "'");
    return [left = direction == "LEFT"](Run& run) {
        In x = run.inputs[0];
        const at::Tensor value = widened(x).to(at::kLong);
        const at::Tensor by = widened(run.inputs[1]).to(at::kLong);
        run.outputs[0] =
            (left ? at::bitwise_left_shift(value, by) : at::bitwise_right_shift(value, by)).to(x.scalar_type());
    };
}

// To opset 6 the second input's axes are the first's from `axis` on, where broadcast is 1.
template <auto build_row>
Kernel by_attribute(const Build& build) {
    const auto* axis = find_attribute<std::int64_t>(build.node, "axis");
    if (!axis) return build_row(build);
    return [kernel = build_row(build), axis = *axis](Run& run) {
        Numbers sizes = run.inputs[1].sizes().vec();
        const auto rank = static_cast<std::size_t>(run.inputs[0].dim() - front_axis(axis, run.inputs[0].dim()));
        if (sizes.size() < rank) sizes.resize(rank, 1);
        run.inputs[1] = run.inputs[1].reshape(sizes);
        kernel(run);
    };
}

// Any number of inputs, folded from the left.
template <auto function>
Kernel variadic(const Build&) {
    return [](Run& run) {
        at::Tensor result = widened(run.inputs[0]);
        for (std::size_t i = 1; i < run.inputs.size(); ++i) result = function(result, widened(run.inputs[i]));
        run.outputs[0] = result.to(run.inputs[0].scalar_type());
    };
}

Kernel mean(const Build&) {
    return [](Run& run) {
        at::Tensor sum = run.inputs[0];
        for (std::size_t i = 1; i < run.inputs.size(); ++i) sum = sum + run.inputs[i];
        run.outputs[0] = sum / static_cast<double>(run.inputs.size());
    };
}

// x for x >= 0, slope * x below; the slope broadcasts to x. To opset 6 it is one number a channel.
Kernel prelu(const Build& build) {
    return [each_channel = build.opset < 7](Run& run) {
        In x = run.inputs[0];
        at::Tensor slope = run.inputs[1];
        if (each_channel && slope.dim() == 1 && x.dim() > 2) {
            Numbers column(static_cast<std::size_t>(x.dim()) - 1, 1);
            column[0] = slope.size(0);
            slope = slope.reshape(column);
        }
        run.outputs[0] = at::where(x < 0, x * slope, x);
    };
}

// Swish of the gate times the value.
Kernel swiglu(const Build& build) {
    const float alpha = build.attribute("alpha", 1.0f);
    return [alpha](Run& run) {
        In gate = run.inputs[0];
        run.outputs[0] = gate * at::sigmoid(gate * alpha) * run.inputs[1];
    };
}

}  // namespace

std::span<const Op> elementwise_ops() {
    static constexpr std::array rows{
        Op{.name = "Add", .until = 6, .trainable = inputs(0, 1), .build = by_attribute<add>},
        Op{.name = "Sub", .until = 6, .trainable = inputs(0, 1), .build = by_attribute<subtract>},
        Op{.name = "Mul", .until = 6, .trainable = inputs(0, 1), .build = by_attribute<multiply>},
        Op{.name = "Div", .until = 6, .trainable = inputs(0, 1), .build = by_attribute<divide>},
        Op{.name = "Pow", .until = 6, .build = by_attribute<power>},
        Op{.name = "Add", .since = 7, .trainable = inputs(0, 1), .build = add},
        Op{.name = "Sub", .since = 7, .trainable = inputs(0, 1), .build = subtract},
        Op{.name = "Mul", .since = 7, .trainable = inputs(0, 1), .build = multiply},
        Op{.name = "Div", .since = 7, .trainable = inputs(0, 1), .build = divide},
        Op{.name = "Pow", .since = 7, .build = power},
        Op{.name = "Mod", .since = 10, .build = modulo},
        Op{.name = "BitShift", .since = 11, .build = bit_shift},
        Op{.name = "BitwiseAnd", .since = 18, .build = plain<[](In a, In b) { return at::bitwise_and(a, b); }>},
        Op{.name = "BitwiseOr", .since = 18, .build = plain<[](In a, In b) { return at::bitwise_or(a, b); }>},
        Op{.name = "BitwiseXor", .since = 18, .build = plain<[](In a, In b) { return at::bitwise_xor(a, b); }>},
        Op{.name = "Max", .since = 6, .build = variadic<[](In a, In b) { return at::maximum(a, b); }>},
        Op{.name = "Min", .since = 6, .build = variadic<[](In a, In b) { return at::minimum(a, b); }>},
        Op{.name = "Sum", .since = 6, .trainable = ~0u, .build = variadic<[](In a, In b) { return a + b; }>},
        Op{.name = "Mean", .since = 6, .build = mean},
        Op{.name = "PRelu", .since = 6, .trainable = inputs(1), .build = prelu},
        Op{.name = "SwiGLU", .since = 28, .build = swiglu},
    };
    return rows;
}

}  // namespace ouaf::graph
