// Functions of single values, casts and tests.
#include <array>
#include <cmath>
#include <limits>

#include "native/graph/ops/arguments.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

at::ScalarType named_type(const Build& build, const char* attribute, std::int64_t fallback) {
    const auto code = build.attribute<std::int64_t>(attribute, fallback);
    const auto type = scalar_type(code);
    if (!type) build.unsupported("element type " + std::to_string(code) + " is not supported");
    return *type;
}

Kernel cast(const Build& build) {
    return [type = named_type(build, "to", 0)](Run& run) { run.outputs[0] = run.inputs[0].to(type); };
}

Kernel cast_like(const Build&) {
    return [](Run& run) { run.outputs[0] = run.inputs[0].to(run.inputs[1].scalar_type()); };
}

Kernel bit_cast(const Build& build) {
    return [type = named_type(build, "to", 0)](Run& run) {
        const at::Tensor x = run.inputs[0].contiguous();
        if (static_cast<std::int64_t>(x.element_size()) != static_cast<std::int64_t>(c10::elementSize(type)))
            throw std::runtime_error("the two element types have different widths");
        // Every other byte than 0 and 1 would be no bool.
        run.outputs[0] = type == at::kBool ? x.view(at::kByte) != 0 : x.view(type);
    };
}

Kernel is_infinite(const Build& build) {
    const bool negative = build.attribute<std::int64_t>("detect_negative", 1) != 0;
    const bool positive = build.attribute<std::int64_t>("detect_positive", 1) != 0;
    return [negative, positive](Run& run) {
        In x = run.inputs[0];
        constexpr double infinity = std::numeric_limits<double>::infinity();
        at::Tensor found = at::zeros_like(x, x.options().dtype(at::kBool));
        if (negative) found = found.logical_or(x == -infinity);
        if (positive) found = found.logical_or(x == infinity);
        run.outputs[0] = found;
    };
}

// Absolute values and signs of the wide unsigned types, which LibTorch does not compute.
at::Tensor absolute(In x) { return needs_widening(x) ? x : at::abs(x); }
at::Tensor sign(In x) { return needs_widening(x) ? at::sign(widened(x)).to(x.scalar_type()) : at::sign(x); }

// Rounding an integer leaves it.
template <auto function>
at::Tensor rounding(In x) {
    return at::isIntegralType(x.scalar_type(), true) ? x : function(x);
}

}  // namespace

std::span<const Op> unary_ops() {
    static constexpr std::array rows{
        Op{.name = "Identity", .trainable = inputs(0), .build = unary<[](In x) { return x; }>},
        Op{.name = "Cast", .since = 6, .trainable = inputs(0), .build = cast},
        Op{.name = "CastLike", .since = 15, .trainable = inputs(0), .build = cast_like},
        Op{.name = "BitCast", .since = 26, .build = bit_cast},
        Op{.name = "Abs", .since = 6, .build = unary<absolute>},
        Op{.name = "Neg", .since = 6, .build = unary<[](In x) { return at::neg(x); }>},
        Op{.name = "Sign", .since = 9, .build = unary<sign>},
        Op{.name = "Reciprocal", .since = 6, .build = unary<[](In x) { return at::reciprocal(x); }>},
        Op{.name = "Sqrt", .since = 6, .build = unary<[](In x) { return at::sqrt(x); }>},
        Op{.name = "Exp", .since = 6, .build = unary<[](In x) { return at::exp(x); }>},
        Op{.name = "Log", .since = 6, .build = unary<[](In x) { return at::log(x); }>},
        Op{.name = "Erf", .since = 9, .build = unary<[](In x) { return at::erf(x); }>},
        Op{.name = "Floor", .since = 6, .build = unary<rounding<[](In x) { return at::floor(x); }>>},
        Op{.name = "Ceil", .since = 6, .build = unary<rounding<[](In x) { return at::ceil(x); }>>},
        // Halves go to the even neighbour, as LibTorch's do.
        Op{.name = "Round", .since = 11, .build = unary<rounding<[](In x) { return at::round(x); }>>},
        Op{.name = "Sin", .since = 7, .build = unary<[](In x) { return at::sin(x); }>},
        Op{.name = "Cos", .since = 7, .build = unary<[](In x) { return at::cos(x); }>},
        Op{.name = "Tan", .since = 7, .build = unary<[](In x) { return at::tan(x); }>},
        Op{.name = "Asin", .since = 7, .build = unary<[](In x) { return at::asin(x); }>},
        Op{.name = "Acos", .since = 7, .build = unary<[](In x) { return at::acos(x); }>},
        Op{.name = "Atan", .since = 7, .build = unary<[](In x) { return at::atan(x); }>},
        Op{.name = "Sinh", .since = 9, .build = unary<[](In x) { return at::sinh(x); }>},
        Op{.name = "Cosh", .since = 9, .build = unary<[](In x) { return at::cosh(x); }>},
        Op{.name = "Asinh", .since = 9, .build = unary<[](In x) { return at::asinh(x); }>},
        Op{.name = "Acosh", .since = 9, .build = unary<[](In x) { return at::acosh(x); }>},
        Op{.name = "Atanh", .since = 9, .build = unary<[](In x) { return at::atanh(x); }>},
        Op{.name = "IsNaN", .since = 9, .build = unary<[](In x) { return at::isnan(x); }>},
        Op{.name = "IsInf", .since = 10, .build = is_infinite},
        Op{.name = "BitwiseNot", .since = 18, .build = unary<[](In x) {
                                                  return needs_widening(x)
                                                             ? at::bitwise_not(x.to(at::kLong)).to(x.scalar_type())
                                                             : at::bitwise_not(x);
                                              }>},
    };
    return rows;
}

}  // namespace ouaf::graph
