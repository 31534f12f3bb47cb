// Operators that pick and place values by index. A negative index counts from the end.
#include <algorithm>
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

at::Tensor from_front(In index, std::int64_t size) {
    const at::Tensor wide = index.to(at::kLong);
    return at::where(wide < 0, wide + size, wide);
}

// The output has the index's axes in place of the chosen one.
// One fixed index is a view of x: so exporters take queries, keys and values out of one product.
Kernel gather(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 0);
    if (const Tensor* constant = build.constant(1); constant && constant->dims.empty()) {
        const std::int64_t index = to_int64s(*constant).at(0);
        return [axis, index](Run& run) { run.outputs[0] = run.inputs[0].select(axis, index); };
    }
    return [axis](Run& run) {
        In x = run.inputs[0];
        const std::int64_t along = front_axis(axis, x.dim());
        const at::Tensor index = from_front(run.inputs[1], x.size(along));
        Numbers sizes = x.sizes().vec();
        sizes.erase(sizes.begin() + along);
        sizes.insert(sizes.begin() + along, index.sizes().begin(), index.sizes().end());
        run.outputs[0] = x.index_select(along, index.reshape(-1).to(x.device())).reshape(sizes);
    };
}

Kernel gather_elements(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 0);
    return [axis](Run& run) {
        In x = run.inputs[0];
        run.outputs[0] = at::gather(x, axis, from_front(run.inputs[1], x.size(front_axis(axis, x.dim()))));
    };
}

// index [batch…, …, k] picks slices of x by its k axes after the batch ones: as rows of x taken as a matrix with
// one row for each of these places.
struct Places {
    at::Tensor rows;         // one number a picked slice
    std::int64_t count = 1;  // rows of the matrix
    Numbers slice;           // sizes of one slice
    Numbers picked;          // sizes of the picked slices' own axes
};

Places places_of(In x, In index, std::int64_t batches) {
    const std::int64_t depth = index.size(-1);
    if (batches < 0 || batches >= index.dim()) throw std::runtime_error("batch_dims is " + std::to_string(batches));
    if (batches + depth > x.dim()) throw std::runtime_error("the indices have more numbers than the data has axes");
    Places places;
    Numbers batch;
    for (std::int64_t i = 0; i < batches; ++i) batch.push_back(x.size(i));
    const std::int64_t blocks = element_count(batch);
    std::int64_t block = 1;
    at::Tensor row =
        at::zeros(index.sizes().slice(0, static_cast<std::size_t>(index.dim()) - 1), index.options().dtype(at::kLong));
    for (std::int64_t i = 0; i < depth; ++i) {
        const std::int64_t size = x.size(batches + i);
        const at::Tensor place = from_front(index.select(-1, i), size);
        if (place.numel() > 0 && place.ge(size).logical_or(place < 0).any().item<bool>())
            throw std::runtime_error("an index lies outside axis " + std::to_string(batches + i));
        row = row * size + place;
        block *= size;
    }
    for (std::int64_t i = batches + depth; i < x.dim(); ++i) places.slice.push_back(x.size(i));
    places.picked = row.sizes().vec();
    row = row.reshape({blocks, -1}) + at::arange(blocks, row.options()).unsqueeze(1) * block;
    places.rows = row.reshape(-1);
    places.count = blocks * block;
    return places;
}

Kernel gather_nd(const Build& build) {
    const auto batches = build.attribute<std::int64_t>("batch_dims", 0);
    return [batches](Run& run) {
        const Places places = places_of(run.inputs[0], run.inputs[1], batches);
        const std::int64_t width = element_count(places.slice);
        Numbers sizes = places.picked;
        sizes.insert(sizes.end(), places.slice.begin(), places.slice.end());
        run.outputs[0] = run.inputs[0].reshape({places.count, width}).index_select(0, places.rows).reshape(sizes);
    };
}

at::Tensor scattered(In x, std::int64_t axis, In index, In updates, const std::string& reduction) {
    if (reduction == "none") return at::scatter(x, axis, index, updates);
    if (reduction == "add") return at::scatter_reduce(x, axis, index, updates, "sum");
    if (reduction == "mul") return at::scatter_reduce(x, axis, index, updates, "prod");
    return at::scatter_reduce(x, axis, index, updates, reduction == "max" ? "amax" : "amin");
}

std::string reduction_of(const Build& build) {
    const auto reduction = build.attribute<std::string>("reduction", "none");
    for (const char* known : {"none", "add", "mul", "max", "min"})
        if (reduction == known) return reduction;
    build.fail("reduction is '" + reduction + "'");
}

Kernel scatter_elements(const Build& build) {
    return [axis = build.attribute<std::int64_t>("axis", 0), reduction = reduction_of(build)](Run& run) {
        In x = run.inputs[0];
        const at::Tensor index = from_front(run.inputs[1], x.size(front_axis(axis, x.dim())));
        run.outputs[0] = scattered(x, axis, index, run.inputs[2], reduction);
    };
}

Kernel scatter_nd(const Build& build) {
    return [reduction = reduction_of(build)](Run& run) {
        In x = run.inputs[0];
        const Places places = places_of(x, run.inputs[1], 0);
        const std::int64_t width = element_count(places.slice);
        const std::int64_t count = places.rows.size(0);
        const at::Tensor index = places.rows.unsqueeze(1).expand({count, width});
        run.outputs[0] =
            scattered(x.reshape({places.count, width}), 0, index, run.inputs[2].reshape({count, width}), reduction)
                .reshape(x.sizes());
    };
}

// Slices along an axis (or single values of all of x) where the condition holds; it may be shorter than the axis.
Kernel compress(const Build& build) {
    const auto* given = find_attribute<std::int64_t>(build.node, "axis");
    const auto axis = given ? std::optional<std::int64_t>(*given) : std::nullopt;
    return [axis](Run& run) {
        const at::Tensor chosen = at::nonzero(run.inputs[1]).reshape(-1);
        run.outputs[0] =
            axis ? run.inputs[0].index_select(*axis, chosen) : run.inputs[0].reshape(-1).index_select(0, chosen);
    };
}

// A cache with `update` written along the axis, from each sample's own place on.
Kernel tensor_scatter(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", -2);
    const bool circular = build.attribute<std::string>("mode", "linear") == "circular";
    return [axis, circular](Run& run) {
        In cache = run.inputs[0];
        In update = run.inputs[1];
        check_rank(update, cache.dim(), "the update");
        const std::int64_t along = front_axis(axis, cache.dim());
        at::Tensor place = at::arange(update.size(along), update.options().dtype(at::kLong)).unsqueeze(0);
        place = place + (run.has_input(2) ? run.inputs[2].to(at::kLong).unsqueeze(1)
                                          : at::zeros({cache.size(0), 1}, place.options()));
        if (circular) place = at::remainder(place, cache.size(along));
        Numbers sizes(static_cast<std::size_t>(cache.dim()), 1);  // [batch, 1…, update's size, 1…]
        sizes[0] = cache.size(0);
        sizes[static_cast<std::size_t>(along)] = update.size(along);
        run.outputs[0] = at::scatter(cache, along, place.reshape(sizes).expand(update.sizes()), update);
    };
}

// The first lengths[b] entries of each sample in reverse order.
Kernel reverse_sequence(const Build& build) {
    const auto batch_axis = build.attribute<std::int64_t>("batch_axis", 1);
    const auto time_axis = build.attribute<std::int64_t>("time_axis", 0);
    return [batch_axis, time_axis](Run& run) {
        In x = run.inputs[0];
        const at::Tensor y = x.movedim({batch_axis, time_axis}, {0, 1});
        const at::Tensor time = at::arange(y.size(1), run.inputs[1].options()).unsqueeze(0);
        const at::Tensor length = run.inputs[1].unsqueeze(1);
        const at::Tensor from = at::where(time < length, length - 1 - time, time);
        Numbers sizes(static_cast<std::size_t>(y.dim()), 1);
        sizes[0] = y.size(0);
        sizes[1] = y.size(1);
        run.outputs[0] =
            at::gather(y, 1, from.reshape(sizes).expand(y.sizes())).movedim({0, 1}, {batch_axis, time_axis});
    };
}

}  // namespace

std::span<const Op> index_ops() {
    static constexpr std::array rows{
        Op{.name = "Gather", .trainable = inputs(0), .build = gather},
        Op{.name = "GatherElements", .since = 11, .trainable = inputs(0), .build = gather_elements},
        Op{.name = "GatherND", .since = 11, .trainable = inputs(0), .build = gather_nd},
        Op{.name = "Scatter", .since = 9, .build = scatter_elements},
        Op{.name = "ScatterElements", .since = 11, .build = scatter_elements},
        Op{.name = "ScatterND", .since = 11, .build = scatter_nd},
        Op{.name = "TensorScatter", .since = 24, .build = tensor_scatter},
        Op{.name = "ReverseSequence", .since = 10, .build = reverse_sequence},
        Op{.name = "Compress", .since = 9, .build = compress},
        Op{.name = "NonZero", .since = 9, .build = unary<[](In x) { return at::nonzero(x).t(); }>},
    };
    return rows;
}

}  // namespace ouaf::graph
