// See batch_norm.hpp.
#include "native/graph/batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "native/graph/shape_inference.hpp"

namespace ouaf::graph {

namespace {

struct Affine {  // y = factor * x + offset, one of each a channel
    std::vector<double> factor;
    std::vector<double> offset;
};

const Tensor* float_constant(const Graph& graph, const std::string& name) {
    const auto found = graph.initializers.find(name);
    return found != graph.initializers.end() && found->second.dtype == DType::float32 ? &found->second : nullptr;
}

std::optional<Affine> affine_of(const Graph& graph, const Node& node) {
    if (node.op != "BatchNormalization" || !node.domain.empty() || node.inputs.size() != 5) return std::nullopt;
    if (attribute_or<std::int64_t>(node, "training_mode", 0) != 0) return std::nullopt;
    if (attribute_or<std::int64_t>(node, "spatial", 1) == 0) return std::nullopt;
    if (std::any_of(node.outputs.begin() + 1, node.outputs.end(), [](const auto& name) { return !name.empty(); }))
        return std::nullopt;
    std::vector<std::span<const float>> values;
    for (std::size_t i = 1; i < 5; ++i) {
        const Tensor* constant = float_constant(graph, node.inputs[i]);
        if (!constant) return std::nullopt;
        values.push_back(constant->values<float>());
        if (values[i - 1].size() != values[0].size()) return std::nullopt;
    }
    const double epsilon = attribute_or(node, "epsilon", 1e-5f);
    Affine affine;
    for (std::size_t c = 0; c < values[0].size(); ++c) {
        const double factor = values[0][c] / std::sqrt(values[3][c] + epsilon);
        affine.factor.push_back(factor);
        affine.offset.push_back(values[1][c] - values[2][c] * factor);
        if (!std::isfinite(factor) || !std::isfinite(affine.offset.back())) return std::nullopt;
    }
    return affine;
}

// The layer that takes a batch norm in.
struct Layer {
    std::size_t node = 0;
    std::optional<std::size_t> bias_add;  // the Add after a MatMul
    std::string bias;                     // a constant, or none
};

struct Folding {
    Graph& graph;
    const Shapes& shapes;
    std::unordered_map<std::string, std::size_t> made_by = producers(graph.nodes);
    std::unordered_map<std::string, int> uses = use_counts(graph.nodes, graph.outputs);

    std::optional<std::size_t> only_producer(const std::string& value) const;
    std::optional<Layer> layer_before(const std::string& value) const;
    bool fold(const Affine& affine, const Layer& layer, std::size_t norm);
    std::string own_name(const std::string& name, const std::string& wanted) const;
};

std::optional<std::size_t> Folding::only_producer(const std::string& value) const {
    const auto producer = made_by.find(value);
    if (producer == made_by.end() || uses.at(value) != 1 || !graph.nodes[producer->second].domain.empty())
        return std::nullopt;
    return producer->second;
}

std::optional<Layer> Folding::layer_before(const std::string& value) const {
    const auto producer = only_producer(value);
    if (!producer) return std::nullopt;
    const Node* node = &graph.nodes[*producer];
    Layer layer{*producer, std::nullopt, ""};
    if (node->op == "Add") {
        const std::size_t constant = graph.initializers.contains(node->inputs[1]) ? 1 : 0;
        const auto before = only_producer(node->inputs[1 - constant]);
        if (!before || graph.nodes[*before].op != "MatMul") return std::nullopt;
        layer = {*before, *producer, node->inputs[constant]};
        node = &graph.nodes[*before];
    } else if (node->inputs.size() > 2) {
        layer.bias = node->inputs[2];
    }
    if (node->op == "MatMul") {
        const auto shape = shapes.find(node->outputs[0]);
        if (shape == shapes.end() || !shape->second.has_shape || shape->second.dims.size() != 2) return std::nullopt;
    } else if (node->op != "Conv" && node->op != "ConvTranspose" && node->op != "Gemm") {
        return std::nullopt;
    }
    return layer;
}

// The name to write a changed constant under: its own, unless others read it too.
std::string Folding::own_name(const std::string& name, const std::string& wanted) const {
    return !name.empty() && uses.at(name) == 1 ? name : unused_name(graph, wanted);
}

// The layer makes what the batch norm made; after a MatMul the batch norm becomes the Add of the bias.
bool Folding::fold(const Affine& affine, const Layer& layer, std::size_t norm) {
    Node& node = graph.nodes[layer.node];
    const Tensor* old = float_constant(graph, node.inputs[1]);
    if (!old || old->dims.size() < 2) return false;
    const std::size_t channels = affine.factor.size();
    const bool gemm = node.op == "Gemm";
    const double alpha = gemm ? attribute_or(node, "alpha", 1.0f) : 1.0;
    const double beta = gemm ? attribute_or(node, "beta", 1.0f) : 1.0;

    // Output channel of weight element i: block (i / inner) of `columns` along the output axis, in its group.
    const bool transposed = node.op == "ConvTranspose";
    const bool rows = node.op == "Conv" || (gemm && attribute_or<std::int64_t>(node, "transB", 0) != 0);
    const std::size_t groups =
        transposed ? static_cast<std::size_t>(attribute_or<std::int64_t>(node, "group", 1)) : std::size_t{1};
    const auto dim = [&](std::size_t axis) { return static_cast<std::size_t>(old->dims[axis]); };
    const std::size_t columns = dim(rows ? 0 : 1);
    if (groups == 0 || columns * groups != channels || dim(0) % groups != 0 || old->count() == 0) return false;
    std::size_t inner = 1;
    for (std::size_t axis = rows ? 1 : 2; axis < old->dims.size(); ++axis) inner *= dim(axis);
    const std::size_t rows_a_group = dim(0) / groups;

    std::vector<double> bias(channels, 0.0);
    if (!layer.bias.empty()) {
        const Tensor* constant = float_constant(graph, layer.bias);
        if (!constant) return false;
        // [channels], [1, channels] or one number: anything else differs from row to row.
        const auto values = constant->values<float>();
        const bool one_a_channel =
            values.size() == channels && !constant->dims.empty() && constant->dims.back() == constant->count();
        if (!one_a_channel && values.size() != 1) return false;
        for (std::size_t c = 0; c < channels; ++c) bias[c] = beta * values[one_a_channel ? c : 0];
    }

    Tensor weight = *old;
    auto values = weight.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t row = i / (inner * columns);
        const std::size_t channel = (i / inner) % columns + (transposed ? row / rows_a_group * columns : 0);
        values[i] = static_cast<float>(alpha * affine.factor[channel] * values[i]);
    }
    std::vector<float> offsets;
    for (std::size_t c = 0; c < channels; ++c)
        offsets.push_back(static_cast<float>(affine.factor[c] * bias[c] + affine.offset[c]));

    const std::string weight_name = own_name(node.inputs[1], node.inputs[1] + ".folded");
    const std::string bias_name = own_name(layer.bias, weight_name + ".bias");
    graph.initializers[weight_name] = std::move(weight);
    graph.initializers[bias_name] = make_tensor({static_cast<std::int64_t>(channels)}, std::span<const float>(offsets));
    node.inputs[1] = weight_name;
    node.attributes.erase("alpha");
    node.attributes.erase("beta");
    if (node.op == "MatMul") {
        graph.nodes[norm] = {"Add", "", "", {node.outputs[0], bias_name}, graph.nodes[norm].outputs, {}};
        if (layer.bias_add) graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(*layer.bias_add));
    } else {
        node.inputs.resize(3);
        node.inputs[2] = bias_name;
        node.outputs[0] = graph.nodes[norm].outputs[0];
        graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(norm));
    }
    return true;
}

}  // namespace

FoldedBatchNorms fold_batch_norms(Graph& graph) {
    const Shapes shapes = infer_shapes(graph);
    FoldedBatchNorms count;
    for (std::size_t index = 0; index < graph.nodes.size();) {
        const Node& node = graph.nodes[index];
        if (node.op != "BatchNormalization" || !node.domain.empty()) {
            ++index;
            continue;
        }
        const std::size_t before = graph.nodes.size();
        const auto affine = affine_of(graph, node);
        Folding folding{graph, shapes};
        const auto layer = affine ? folding.layer_before(node.inputs[0]) : std::nullopt;
        const bool folded = layer && folding.fold(*affine, *layer, index);
        ++(folded ? count.folded : count.kept);
        if (graph.nodes.size() == before) ++index;  // else the next node stands here, or this one as an Add before it
    }
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.initializers, [&](const auto& entry) { return !uses.contains(entry.first); });
    return count;
}

}  // namespace ouaf::graph
