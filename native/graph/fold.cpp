// See fold.hpp.
#include "native/graph/fold.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>

#include "native/graph/memory_limit.hpp"
#include "native/graph/op_table.hpp"
#include "native/graph/shape_inference.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 20;
constexpr std::int64_t most_work = std::int64_t{1} << 26;  // elements read and made by all folded nodes together

bool only_sizes(const Node& node) { return node.domain.empty() && (node.op == "Shape" || node.op == "Size"); }

// Graph inputs whose sizes are all known: each stands for itself in Shape and Size, its values are never read.
std::unordered_map<std::string, Dims> sized_inputs(const Graph& graph) {
    std::unordered_map<std::string, Dims> sizes;
    for (const Value& input : graph.inputs) {
        const bool fixed = std::all_of(input.dims.begin(), input.dims.end(),
                                       [](const Dim& dim) { return std::holds_alternative<std::int64_t>(dim); });
        if (!input.has_shape || !fixed) continue;
        for (const Dim& dim : input.dims) sizes[input.name].push_back(std::get<std::int64_t>(dim));
        if (input.dims.empty()) sizes[input.name] = {};
    }
    return sizes;
}

// The constant without a copy: kernels that fold overwrite nothing.
at::Tensor view_of(const Tensor& constant) {
    return at::from_blob(const_cast<std::byte*>(constant.bytes.data()), constant.dims, scalar_type(constant.dtype));
}

// What has these sizes and this type, and no elements of its own.
at::Tensor stand_in(const Dims& sizes, at::ScalarType type = at::kFloat) { return at::empty({}, type).expand(sizes); }

struct Folder {
    Graph& graph;
    const ValueTypes& types;
    std::unordered_map<std::string, Dims> sized;
    std::int64_t work = 0;

    std::optional<at::Tensor> known(const Node& node, std::size_t i) const;
    bool folded(const Node& node);
};

// The tensor that stands for input i of the node, or nothing where the node has to stay.
std::optional<at::Tensor> Folder::known(const Node& node, std::size_t i) const {
    const std::string& name = node.inputs[i];
    if (name.empty()) return at::Tensor();
    const auto constant = graph.initializers.find(name);
    const bool is_constant = constant != graph.initializers.end();
    const auto type = types.find(name);
    const bool only_type = i == 1 && node.op == "CastLike" && node.domain.empty();
    if (type != types.end() && (only_sizes(node) || only_type)) return stand_in(type->second.sizes, type->second.type);
    if (only_sizes(node)) {
        const auto input = sized.find(name);
        if (is_constant) return stand_in(constant->second.dims);
        if (input != sized.end() && element_count(input->second) >= 0) return stand_in(input->second);
        return std::nullopt;
    }
    if (!is_constant || is_weight(constant->second)) return std::nullopt;
    return view_of(constant->second);
}

bool Folder::folded(const Node& node) {
    const Op* op = find_op(node.domain, node.op, standard_opset(graph));
    if (!op || node.inputs.empty() || work > most_work) return false;
    std::vector<at::Tensor> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        auto input = known(node, i);
        if (!input) return false;
        if (input->defined()) work += static_cast<std::int64_t>(input->storage().nbytes() / input->itemsize());
        inputs.push_back(std::move(*input));
    }
    std::vector<at::Tensor> outputs(node.outputs.size());
    Run run{inputs, outputs, true, most_elements};
    op->build(Build{graph, node, standard_opset(graph)})(run);
    for (std::size_t i = 0; i < outputs.size(); ++i)
        if (!node.outputs[i].empty() && (!outputs[i].defined() || outputs[i].numel() > most_elements)) return false;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (node.outputs[i].empty()) continue;
        work += outputs[i].numel();
        graph.initializers.emplace(node.outputs[i], from_torch(outputs[i]));
    }
    return true;
}

}  // namespace

void fold_constants(Graph& graph, const ValueTypes& types) {
    const at::NoGradGuard no_gradients;
    const MemoryLimit limit(64 * most_elements);
    Folder folder{graph, types, sized_inputs(graph)};
    std::erase_if(graph.nodes, [&](const Node& node) {
        try {
            return folder.folded(node);
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
