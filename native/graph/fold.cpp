// See fold.hpp.
#include "native/graph/fold.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>

#include "native/graph/op_table.hpp"
#include "native/graph/shape_inference.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 22;

bool only_sizes(const Node& node) { return node.domain.empty() && (node.op == "Shape" || node.op == "Size"); }

// A graph input whose sizes are all known stands for itself in Shape and Size; its values are never read.
std::optional<Tensor> sized_input(const Graph& graph, const std::string& name) {
    for (const Value& input : graph.inputs) {
        if (input.name != name || !input.has_shape) continue;
        Tensor sizes{DType::boolean, {}, {}};
        for (const Dim& dim : input.dims) {
            const auto* size = std::get_if<std::int64_t>(&dim);
            if (!size) return std::nullopt;
            sizes.dims.push_back(*size);
        }
        return sizes;
    }
    return std::nullopt;
}

// The tensor that stands for an input of the node, or nothing where the node has to stay.
std::optional<at::Tensor> known(const Graph& graph, const Node& node, const std::string& name) {
    if (name.empty()) return at::Tensor();
    const auto constant = graph.initializers.find(name);
    if (only_sizes(node)) {
        if (constant != graph.initializers.end()) return at::empty({1}).expand(constant->second.dims);
        const auto sized = sized_input(graph, name);
        if (sized) return at::empty({1}).expand(sized->dims);
        return std::nullopt;
    }
    if (constant == graph.initializers.end()) return std::nullopt;
    if (is_floating(constant->second.dtype) && constant->second.count() > 1) return std::nullopt;
    return to_torch(constant->second);
}

bool folded(Graph& graph, const Node& node) {
    const Op* op = find_op(node.domain, node.op, standard_opset(graph));
    if (!op || node.inputs.empty()) return false;
    std::vector<at::Tensor> inputs;
    for (const std::string& name : node.inputs) {
        auto input = known(graph, node, name);
        if (!input) return false;
        inputs.push_back(std::move(*input));
    }
    std::vector<at::Tensor> outputs(node.outputs.size());
    Run run{inputs, outputs, true, most_elements};
    op->build(Build{graph, node, standard_opset(graph)})(run);
    for (std::size_t i = 0; i < outputs.size(); ++i)
        if (!node.outputs[i].empty() && (!outputs[i].defined() || outputs[i].numel() > most_elements)) return false;
    for (std::size_t i = 0; i < outputs.size(); ++i)
        if (!node.outputs[i].empty()) graph.initializers.emplace(node.outputs[i], from_torch(outputs[i]));
    return true;
}

}  // namespace

void fold_constants(Graph& graph) {
    const at::NoGradGuard no_gradients;
    std::erase_if(graph.nodes, [&](const Node& node) {
        try {
            return folded(graph, node);
        } catch (const std::exception&) {
            return false;  // it will say why when it runs
        }
    });
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.initializers, [&](const auto& entry) { return !uses.contains(entry.first); });
}

void cast_like_to_cast(Graph& graph) {
    const auto is_cast_like = [](const Node& node) { return node.op == "CastLike" && node.domain.empty(); };
    if (std::none_of(graph.nodes.begin(), graph.nodes.end(), is_cast_like)) return;
    const Shapes shapes = infer_shapes(graph);
    for (Node& node : graph.nodes) {
        if (!is_cast_like(node)) continue;
        const auto like = shapes.find(node.inputs.at(1));
        if (like == shapes.end()) continue;
        node.op = "Cast";
        node.inputs.resize(1);
        node.attributes = {{"to", static_cast<std::int64_t>(like->second.dtype)}};
    }
}

}  // namespace ouaf::graph
