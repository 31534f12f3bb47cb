// Reductions over axes.
#include <array>
#include <limits>
#include <numeric>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

// The axes are an attribute to opset 17 (ReduceSum: 12) and an input since. Without any, all axes are reduced, or,
// where noop_with_empty_axes says so, none: then only what happens to each single value is left. `function` gets
// axes that are never empty, unless x is a scalar or nothing is to be reduced.
template <auto function>
Kernel reduce(const Build& build) {
    const bool keep = build.attribute<std::int64_t>("keepdims", 1) != 0;
    const bool may_do_nothing = build.attribute<std::int64_t>("noop_with_empty_axes", 0) != 0;
    return [keep, may_do_nothing, axes_of = numbers(build, "axes", 1)](Run& run) {
        const at::Tensor x = widened(run.inputs[0]);
        Numbers axes = axes_of(run);
        front_axes(axes, x.dim());
        if (axes.empty() && !may_do_nothing) {
            axes.resize(static_cast<std::size_t>(x.dim()));
            std::iota(axes.begin(), axes.end(), 0);
        }
        run.outputs[0] = function(x, axes, keep).to(run.inputs[0].scalar_type());
    };
}

// LibTorch reads "no axes" as "all of them".
template <class Sum>
at::Tensor over(In x, const Numbers& axes, Sum&& sum) {
    return axes.empty() ? x : sum(x);
}

at::Tensor sum(In x, const Numbers& axes, bool keep) {
    return over(x, axes, [&](In y) { return y.sum(axes, keep, y.scalar_type()); });
}

at::Tensor mean(In x, const Numbers& axes, bool keep) {
    if (at::isIntegralType(x.scalar_type(), false))
        return over(x, axes, [&](In y) { return y.to(at::kDouble).mean(axes, keep).trunc(); });
    return over(x, axes, [&](In y) { return y.mean(axes, keep); });
}

at::Tensor product(In x, const Numbers& axes, bool keep) {
    at::Tensor result = x;
    Numbers last_first = axes;
    std::sort(last_first.rbegin(), last_first.rend());
    for (const std::int64_t axis : last_first) result = result.prod(axis, keep, x.scalar_type());
    return result;
}

// The extreme of no values at all is the type's own opposite extreme.
template <auto function, bool largest>
at::Tensor extreme(In x, const Numbers& axes, bool keep) {
    if (x.numel() > 0) return over(x, axes, [&](In y) { return function(y, axes, keep); });
    const at::Tensor shape = x.to(at::kFloat).sum(axes, keep);
    if (at::isFloatingType(x.scalar_type())) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        return at::full_like(shape, largest ? -infinity : infinity);
    }
    if (x.scalar_type() == at::kBool) return at::full_like(shape, largest ? 0 : 1);
    if (x.scalar_type() == at::kInt) {
        using Limits = std::numeric_limits<std::int32_t>;
        return at::full_like(shape, largest ? Limits::min() : Limits::max(), shape.options().dtype(at::kInt));
    }
    throw Unsupported("the extreme of an empty tensor of this element type is not supported");
}

constexpr auto largest = extreme<[](In x, const Numbers& axes, bool keep) { return at::amax(x, axes, keep); }, true>;
constexpr auto smallest = extreme<[](In x, const Numbers& axes, bool keep) { return at::amin(x, axes, keep); }, false>;

at::Tensor l1(In x, const Numbers& axes, bool keep) { return sum(x.abs(), axes, keep); }
at::Tensor sum_square(In x, const Numbers& axes, bool keep) { return sum(x * x, axes, keep); }
// Integers too: the root of their sum of squares, cut to an integer. LibTorch's own norm has the gradient 0 of zeros,
// where the root of a sum has none.
at::Tensor l2(In x, const Numbers& axes, bool keep) {
    if (!at::isFloatingType(x.scalar_type())) return at::sqrt(sum_square(x, axes, keep));
    return axes.empty() ? x.abs() : at::linalg_vector_norm(x, 2, axes, keep);
}
at::Tensor log_sum(In x, const Numbers& axes, bool keep) { return at::log(sum(x, axes, keep)); }

at::Tensor log_sum_exp(In x, const Numbers& axes, bool keep) {
    return over(x, axes, [&](In y) {
        if (y.numel() == 0) return at::log(at::exp(y.to(at::kFloat)).sum(axes, keep));
        return at::logsumexp(at::isFloatingType(y.scalar_type()) ? y : y.to(at::kDouble), axes, keep);
    });
}

// The first of equal extremes, or with select_last_index the last.
template <auto function>
Kernel arg(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 0);
    const bool keep = build.attribute<std::int64_t>("keepdims", 1) != 0;
    const bool last = build.attribute<std::int64_t>("select_last_index", 0) != 0;
    return [axis, keep, last](Run& run) {
        const at::Tensor x = widened(run.inputs[0]);
        if (last) run.outputs[0] = x.size(axis) - 1 - function(x.flip({axis}), axis, keep);
        else run.outputs[0] = function(x, axis, keep);
    };
}

// exclusive: each value's sum is of the ones before it; reverse: counted from the end.
template <auto function, int neutral>
Kernel cumulative(const Build& build) {
    const bool exclusive = build.attribute<std::int64_t>("exclusive", 0) != 0;
    const bool reverse = build.attribute<std::int64_t>("reverse", 0) != 0;
    return [exclusive, reverse, axis_of = numbers(build, "axis", 1)](Run& run) {
        at::Tensor x = run.inputs[0];
        const auto type = x.scalar_type();
        const std::int64_t axis = front_axis(axis_of(run).at(0), x.dim());
        if (reverse) x = x.flip({axis});
        if (exclusive && x.size(axis) > 0) {
            const at::Tensor first = at::full_like(x.narrow(axis, 0, 1), neutral);
            x = at::cat({first, x.narrow(axis, 0, x.size(axis) - 1)}, axis);
        }
        const at::Tensor y = function(x, axis).to(type);
        run.outputs[0] = reverse ? y.flip({axis}) : y;
    };
}

}  // namespace

std::span<const Op> reduction_ops() {
    constexpr auto arg_max = arg<[](In x, std::int64_t axis, bool keep) { return at::argmax(x, axis, keep); }>;
    constexpr auto arg_min = arg<[](In x, std::int64_t axis, bool keep) { return at::argmin(x, axis, keep); }>;
    constexpr auto cumulative_sum = cumulative<[](In x, std::int64_t axis) { return at::cumsum(x, axis); }, 0>;
    constexpr auto cumulative_product = cumulative<[](In x, std::int64_t axis) { return at::cumprod(x, axis); }, 1>;
    static constexpr std::array rows{
        Op{.name = "ReduceMean", .build = reduce<mean>},
        Op{.name = "ReduceSum", .build = reduce<sum>},
        Op{.name = "ReduceProd", .build = reduce<product>},
        Op{.name = "ReduceMax", .build = reduce<largest>},
        Op{.name = "ReduceMin", .build = reduce<smallest>},
        Op{.name = "ReduceL1", .build = reduce<l1>},
        Op{.name = "ReduceL2", .build = reduce<l2>},
        Op{.name = "ReduceSumSquare", .build = reduce<sum_square>},
        Op{.name = "ReduceLogSum", .build = reduce<log_sum>},
        Op{.name = "ReduceLogSumExp", .build = reduce<log_sum_exp>},
        Op{.name = "ArgMax", .build = arg_max},
        Op{.name = "ArgMin", .build = arg_min},
        Op{.name = "CumSum", .since = 11, .build = cumulative_sum},
        Op{.name = "CumProd", .since = 26, .build = cumulative_product},
    };
    return rows;
}

}  // namespace ouaf::graph
