// See canonicalise.hpp.
#include "native/graph/canonicalise.hpp"

#include <algorithm>
#include <optional>

#include "native/graph/sequences.hpp"
#include "native/graph/transposes.hpp"

#include "native/graph/untie.hpp"

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

// Which scale each element of a quantised weight has.
struct Scales {
    std::size_t along = 1;   // elements along the axis
    std::size_t block = 1;   // of them with one scale
    std::size_t blocks = 1;  // along the axis
    std::size_t inner = 1;   // elements that follow each other along the axes after it
    bool of_inner = false;   // each of those has scales of its own too

    std::size_t of(std::size_t i) const {
        const std::size_t block_index = i / inner % along / block;
        return of_inner ? (i / (inner * along) * blocks + block_index) * inner + i % inner : block_index;
    }
};

// One scale for all, one a slice along axis, or (opset 21) one a block of block_size elements along it.
Scales scales_of(const Graph& graph, const Node& node, const Tensor& quantised, const Tensor& scale) {
    Scales scales;
    scales.along = scales.block = static_cast<std::size_t>(std::max<std::int64_t>(quantised.count(), 1));
    const auto block_size = attribute_or<std::int64_t>(node, "block_size", 0);
    if (scale.count() == 1 && block_size == 0) return scales;  // whatever the axis says
    const auto rank = static_cast<std::int64_t>(quantised.dims.size());
    std::int64_t axis = attribute_or<std::int64_t>(node, "axis", 1);
    if (axis < 0) axis += rank;
    const auto refuse = [&] {
        fail(graph, describe(node) + " has " + std::to_string(scale.count()) +
                        " scales, which do not fit its weight; export the model again");
    };
    if (axis < 0 || axis >= rank || block_size < 0 || quantised.count() == 0) refuse();
    const std::int64_t along = quantised.dims[static_cast<std::size_t>(axis)];
    Dims expected{along};
    if (block_size > 0) {
        expected = quantised.dims;
        expected[static_cast<std::size_t>(axis)] = (along - 1) / block_size + 1;
    }
    if (scale.dims != expected) refuse();
    scales.along = static_cast<std::size_t>(along);
    scales.block = static_cast<std::size_t>(std::max<std::int64_t>(block_size, 1));
    scales.blocks = (scales.along - 1) / scales.block + 1;
    scales.of_inner = block_size > 0;
    for (std::int64_t after = axis + 1; after < rank; ++after)
        scales.inner *= static_cast<std::size_t>(quantised.dims[static_cast<std::size_t>(after)]);
    return scales;
}

Tensor as(DType dtype, const Dims& dims, std::span<const float> values) {
    if (dtype == DType::float32) return make_tensor(dims, values);
    Tensor half{DType::float16, dims, std::vector<std::byte>(values.size() * sizeof(std::uint16_t))};
    std::transform(values.begin(), values.end(), half.values<std::uint16_t>().begin(), to_half);
    return half;
}

// y = (x - zero_point) * scale
Tensor dequantised(const Graph& graph, const Node& node, const Tensor& quantised, const Tensor& scale,
                   const Tensor* zero_point) {
    const Scales index = scales_of(graph, node, quantised, scale);
    const auto integers = to_int64s(quantised);
    const auto scales = to_floats(scale);
    const auto zeros = zero_point ? to_int64s(*zero_point) : std::vector<std::int64_t>(scales.size(), 0);
    if (zeros.size() != scales.size())
        fail(graph, describe(node) + " has " + std::to_string(zeros.size()) + " zero points for " +
                        std::to_string(scales.size()) + " scales; export the model again");
    std::vector<float> values(integers.size());
    for (std::size_t i = 0; i < integers.size(); ++i) {
        const std::size_t of = index.of(i);
        values[i] = static_cast<float>(integers[i] - zeros[of]) * scales[of];
    }
    return as(scale.dtype, quantised.dims, values);
}

bool is_weight_type(DType dtype) {
    return dtype == DType::int8 || dtype == DType::uint8 || dtype == DType::int16 || dtype == DType::uint16 ||
           dtype == DType::int32;
}

// The float weight that a node makes of a constant stored more tightly, where it does.
std::optional<Tensor> stored_weight(const Graph& graph, const Node& node) {
    if (!node.domain.empty() || node.inputs.empty()) return std::nullopt;
    const Tensor* stored = constant(graph, node.inputs[0]);
    if (!stored) return std::nullopt;
    if (node.op == "Cast") {
        const bool to_float32 = attribute_or<std::int64_t>(node, "to", 0) == static_cast<std::int64_t>(DType::float32);
        if (!to_float32 || !is_floating(stored->dtype) || stored->dtype == DType::float32) return std::nullopt;
        return make_tensor(stored->dims, std::span<const float>(to_floats(*stored)));
    }
    if (node.op != "DequantizeLinear" || node.inputs.size() < 2) return std::nullopt;
    const Tensor* scale = constant(graph, node.inputs[1]);
    const bool has_zero = node.inputs.size() > 2 && !node.inputs[2].empty();
    const Tensor* zero_point = has_zero ? constant(graph, node.inputs[2]) : nullptr;
    // What is left behind is a quantised activation; Network refuses it by name.
    if (!scale || (has_zero && !zero_point) || !is_weight_type(stored->dtype)) return std::nullopt;
    if (scale->dtype != DType::float32 && scale->dtype != DType::float16) return std::nullopt;
    const auto type = attribute_or<std::int64_t>(node, "output_dtype", 0);
    if (type != 0 && type != static_cast<std::int64_t>(scale->dtype)) return std::nullopt;
    return dequantised(graph, node, *stored, *scale, zero_point);
}

void fold_stored_weights(Graph& graph) {
    // One stored weight may serve several nodes, but a file must not become floats a thousand times over.
    std::size_t left = 1 << 20;
    for (const auto& [name, tensor] : graph.initializers) left += 4 * tensor.bytes.size();
    std::erase_if(graph.nodes, [&](const Node& node) {
        auto weight = stored_weight(graph, node);
        if (!weight) return false;
        const auto count = static_cast<std::size_t>(weight->count());
        if (count > left) fail(graph, describe(node) + " unpacks the same weights too often; export the model again");
        left -= count;
        graph.initializers.emplace(node.outputs.at(0), std::move(*weight));
        return true;
    });
}

// In one pass over the sorted nodes. A value that an Identity copies and the copy become one: under the older name, or
// under the copy's where that is an output, which keeps the name the file gave it.
void remove_identities(Graph& graph) {
    std::unordered_set<std::string> outputs;
    for (const Value& output : graph.outputs) outputs.insert(output.name);
    std::unordered_map<std::string, std::string> renamed;
    const auto name_of = [&](std::string name) {
        for (auto found = renamed.find(name); found != renamed.end(); found = renamed.find(name)) name = found->second;
        return name;
    };
    std::unordered_set<std::string> produced;
    std::erase_if(graph.nodes, [&](const Node& node) {
        if (node.op == "Identity" && node.domain.empty()) {
            const std::string from = name_of(node.inputs.at(0));
            const std::string& to = node.outputs.at(0);
            if (!outputs.contains(to)) {
                renamed[to] = from;
                return true;
            }
            if (produced.contains(from) && !outputs.contains(from)) {
                renamed[from] = to;
                produced.insert(to);
                return true;
            }
        }
        produced.insert(node.outputs.begin(), node.outputs.end());
        return false;
    });
    for (Node& node : graph.nodes) {
        for (std::string& input : node.inputs) input = name_of(input);
        for (std::string& output : node.outputs) output = name_of(output);
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
    take_sequences_apart(graph);
    remove_identities(graph);  // first: an Identity may stand between a weight and its DequantizeLinear
    fold_stored_weights(graph);
    spell_out_tensorflow_functions(graph);
    merge_transposes(graph);
    remove_identities(graph);
    untie_constants(graph);
    drop_unread_inputs(graph);
    drop_unread_initializers(graph);
}

}  // namespace ouaf::graph
