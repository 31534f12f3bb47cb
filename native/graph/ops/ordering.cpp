// Operators that sort: TopK, Unique.
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

// Of equal values the one with the lower index comes first, which LibTorch's topk does not promise: a stable sort.
Kernel top_k(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", -1);
    const bool largest = build.attribute<std::int64_t>("largest", 1) != 0;
    return [axis, largest, k_of = numbers(build, "k", 1)](Run& run) {
        const at::Tensor x = widened(run.inputs[0]);
        const std::int64_t k = k_of(run).at(0);
        const auto [values, indices] = at::sort(x, /*stable=*/true, axis, largest);
        run.outputs[0] = values.narrow(axis, 0, k).to(run.inputs[0].scalar_type());
        if (run.outputs.size() > 1) run.outputs[1] = indices.narrow(axis, 0, k);
    };
}

// Outputs: the different values (or slices along the axis), where each comes first, which of them each value is,
// and how often each comes. sorted 0 keeps the order in which they come first.
Kernel unique(const Build& build) {
    const auto* given = find_attribute<std::int64_t>(build.node, "axis");
    const auto axis = given ? std::optional<std::int64_t>(*given) : std::nullopt;
    const bool sorted = build.attribute<std::int64_t>("sorted", 1) != 0;
    return [axis, sorted](Run& run) {
        const at::Tensor x = axis ? run.inputs[0] : run.inputs[0].reshape(-1);
        const std::int64_t along = axis.value_or(0);
        auto [values, inverse, counts] = at::unique_dim(x, along, true, true, true);
        const std::int64_t kinds = counts.size(0);
        const at::Tensor place = at::arange(inverse.size(0), inverse.options());
        at::Tensor first =
            at::full({kinds}, inverse.size(0), inverse.options()).scatter_reduce(0, inverse, place, "amin");
        if (!sorted) {
            const at::Tensor order = at::argsort(first);
            values = values.index_select(along, order);
            counts = counts.index_select(0, order);
            first = first.index_select(0, order);
            inverse = at::argsort(order).index_select(0, inverse);
        }
        const std::array results{values, first, inverse, counts};
        for (std::size_t i = 0; i < run.outputs.size() && i < results.size(); ++i) run.outputs[i] = results[i];
    };
}

}  // namespace

std::span<const Op> ordering_ops() {
    static constexpr std::array rows{
        Op{.name = "TopK", .build = top_k},
        Op{.name = "Unique", .since = 11, .build = unique},
    };
    return rows;
}

}  // namespace ouaf::graph
