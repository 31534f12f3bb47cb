// See value_types.hpp.
#include "native/graph/value_types.hpp"

#include "native/graph/shape_inference.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

Shapes shapes_of(const Graph& graph) {
    try {
        return infer_shapes(graph);
    } catch (const std::runtime_error&) {
        return {};  // these inputs do not fit; the operator that refuses them says why when it runs
    }
}

}  // namespace

ValueTypes value_types(Graph graph, std::span<const at::Tensor> inputs) {
    for (std::size_t i = 0; i < graph.inputs.size() && i < inputs.size(); ++i) {
        graph.inputs[i].has_shape = true;
        graph.inputs[i].dims.assign(inputs[i].sizes().begin(), inputs[i].sizes().end());
    }
    ValueTypes types;
    for (const auto& [name, value] : shapes_of(graph)) {
        if (!value.has_shape) continue;
        Dims sizes;
        for (const Dim& dim : value.dims)
            if (const auto* size = std::get_if<std::int64_t>(&dim)) sizes.push_back(*size);
        if (sizes.size() == value.dims.size()) types[name] = {std::move(sizes), scalar_type(value.dtype)};
    }
    return types;
}

}  // namespace ouaf::graph
