// See canonicalise.hpp.
#include "native/graph/canonicalise.hpp"

#include <algorithm>

namespace ouaf::graph {

namespace {

const Tensor* constant(const Graph& graph, const std::string& name) {
    const auto found = graph.initializers.find(name);
    return found == graph.initializers.end() ? nullptr : &found->second;
}

// The value of a Constant node in whichever of its attributes it stands; throws for text and sparse ones.
Tensor constant_value(const Graph& graph, const Node& node) {
    if (const auto* tensor = find_attribute<Tensor>(node, "value")) return *tensor;
    if (const auto* real = find_attribute<float>(node, "value_float")) return make_tensor({}, std::span(real, 1));
    if (const auto* integer = find_attribute<std::int64_t>(node, "value_int"))
        return make_tensor({}, std::span(integer, 1));
    if (const auto* reals = find_attribute<std::vector<float>>(node, "value_floats"))
        return make_tensor({static_cast<std::int64_t>(reals->size())}, std::span<const float>(*reals));
    if (const auto* integers = find_attribute<std::vector<std::int64_t>>(node, "value_ints"))
        return make_tensor({static_cast<std::int64_t>(integers->size())}, std::span<const std::int64_t>(*integers));
    fail(graph, describe(node) + " holds no number; export the model without text or sparse constants");
}

void fold_constants(Graph& graph) {
    std::erase_if(graph.nodes, [&](const Node& node) {
        if (node.op != "Constant" || !node.domain.empty()) return false;
        graph.initializers.emplace(node.outputs.at(0), constant_value(graph, node));
        return true;
    });
}

// y = (x - zero_point) * scale, with one scale and zero point for all of x or one for each slice along axis.
Tensor dequantised(const Graph& graph, const Node& node, const Tensor& quantised, const Tensor& scale,
                   const Tensor* zero_point) {
    const auto integers = to_int64s(quantised);
    const auto scales = to_floats(scale);
    const auto zeros = zero_point ? to_int64s(*zero_point) : std::vector<std::int64_t>(scales.size(), 0);
    const auto rank = static_cast<std::int64_t>(quantised.dims.size());
    std::int64_t channels = 1;
    std::int64_t inner = quantised.count();  // elements that follow each other with one scale
    // A scale of one element is per tensor, whatever the axis says.
    if (scales.size() != 1) {
        std::int64_t axis = attribute_or<std::int64_t>(node, "axis", 1);
        if (axis < 0) axis += rank;
        if (axis < 0 || axis >= rank || scale.dims.size() != 1 ||
            quantised.dims[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(scales.size()))
            fail(graph, describe(node) + " has " + std::to_string(scales.size()) +
                            " scales, which do not fit its weight; only per-tensor and per-axis scales are "
                            "supported");
        channels = static_cast<std::int64_t>(scales.size());
        inner = 1;
        for (std::int64_t after = axis + 1; after < rank; ++after)
            inner *= quantised.dims[static_cast<std::size_t>(after)];
    }
    if (zeros.size() != scales.size())
        fail(graph, describe(node) + " has " + std::to_string(zeros.size()) + " zero points for " +
                        std::to_string(scales.size()) + " scales; export the model again");
    std::vector<float> values(integers.size());
    for (std::size_t i = 0; i < integers.size(); ++i) {
        const auto channel =
            inner == 0 ? 0 : (i / static_cast<std::size_t>(inner)) % static_cast<std::size_t>(channels);
        values[i] = static_cast<float>(integers[i] - zeros[channel]) * scales[channel];
    }
    return make_tensor(quantised.dims, std::span<const float>(values));
}

bool is_weight_type(DType dtype) { return dtype == DType::int8 || dtype == DType::uint8 || dtype == DType::int32; }

void fold_dequantised_weights(Graph& graph) {
    std::erase_if(graph.nodes, [&](const Node& node) {
        if (node.op != "DequantizeLinear" || !node.domain.empty() || node.inputs.size() < 2) return false;
        const Tensor* quantised = constant(graph, node.inputs[0]);
        const Tensor* scale = constant(graph, node.inputs[1]);
        const bool has_zero = node.inputs.size() > 2 && !node.inputs[2].empty();
        const Tensor* zero_point = has_zero ? constant(graph, node.inputs[2]) : nullptr;
        // What is left behind is a quantised activation; Network refuses it by name.
        if (!quantised || !scale || (has_zero && !zero_point) || !is_weight_type(quantised->dtype)) return false;
        if (attribute_or<std::int64_t>(node, "block_size", 0) != 0) return false;
        Tensor weight = dequantised(graph, node, *quantised, *scale, zero_point);
        graph.initializers.emplace(node.outputs.at(0), std::move(weight));
        return true;
    });
}

void rename_value(Graph& graph, const std::string& from, const std::string& to) {
    for (Node& node : graph.nodes) {
        std::replace(node.inputs.begin(), node.inputs.end(), from, to);
        std::replace(node.outputs.begin(), node.outputs.end(), from, to);
    }
}

void remove_identities(Graph& graph) {
    const auto is_output = [&](const std::string& name) {
        return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                           [&](const Value& output) { return output.name == name; });
    };
    for (std::size_t index = 0; index < graph.nodes.size();) {
        const Node& node = graph.nodes[index];
        if (node.op != "Identity" || !node.domain.empty()) {
            ++index;
            continue;
        }
        const std::string from = node.inputs.at(0);
        const std::string to = node.outputs.at(0);
        if (!is_output(to)) {
            graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
            rename_value(graph, to, from);
        } else if (producers(graph.nodes).contains(from) && !is_output(from)) {
            graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
            rename_value(graph, from, to);  // the output keeps the name the file gave it
        } else {
            ++index;
        }
    }
}

// tf2onnx knows neither of two TensorFlow operators, which Keras' gelu and elu-like activations use, and writes them
// into ONNX's domain as they are: erfc(x) = 1 - erf(x), expm1(x) = exp(x) - 1.
void spell_out_tensorflow_functions(Graph& graph) {
    std::vector<Node> nodes;
    const bool single = !graph.inputs.empty() && graph.inputs.front().dtype == DType::float32;
    for (Node& node : graph.nodes) {
        const bool erfc = node.op == "Erfc";
        if (!node.domain.empty() || !single || (!erfc && node.op != "Expm1")) {
            nodes.push_back(std::move(node));
            continue;
        }
        const std::string output = node.outputs.at(0);
        const std::string inner = output + (erfc ? "/erf" : "/exp");
        const std::string one = output + "/one";
        const float value = 1;
        graph.initializers.emplace(one, make_tensor({}, std::span(&value, 1)));
        nodes.push_back({erfc ? "Erf" : "Exp", "", node.name, node.inputs, {inner}, {}});
        const auto sides = erfc ? std::vector{one, inner} : std::vector{inner, one};
        nodes.push_back({"Sub", "", node.name + "/sub", sides, {output}, {}});
    }
    graph.nodes = std::move(nodes);
}

// Keras' exporter declares the constants of its preprocessing layers as inputs, which nothing reads any more.
void drop_unread_inputs(Graph& graph) {
    const auto uses = use_counts(graph.nodes, graph.outputs);
    const auto unread = [&](const Value& input) { return !uses.contains(input.name); };
    if (!std::all_of(graph.inputs.begin(), graph.inputs.end(), unread)) std::erase_if(graph.inputs, unread);
}

void drop_unread_initializers(Graph& graph) {
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.initializers, [&](const auto& entry) { return !uses.contains(entry.first); });
}

}  // namespace

void canonicalise(Graph& graph) {
    sort_topologically(graph);
    fold_constants(graph);
    remove_identities(graph);  // first: an Identity may stand between a weight and its DequantizeLinear
    fold_dequantised_weights(graph);
    spell_out_tensorflow_functions(graph);
    drop_unread_inputs(graph);
    drop_unread_initializers(graph);
}

}  // namespace ouaf::graph
