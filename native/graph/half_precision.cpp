// See half_precision.hpp.
#include "native/graph/half_precision.hpp"

#include <algorithm>

#include "native/graph/canonicalise.hpp"
#include "native/graph/shape_inference.hpp"

namespace ouaf::graph {

namespace {

// The values as float16 bits; empty where float16 does not hold them.
Tensor as_float16(const Tensor& weight) {
    const auto values = weight.values<float>();
    Tensor half{DType::float16, weight.dims, std::vector<std::byte>(values.size() * sizeof(std::uint16_t))};
    for (std::size_t i = 0; i < values.size(); ++i) half.values<std::uint16_t>()[i] = to_half(values[i]);
    const auto stored = to_floats(half);
    double error = 0;
    double norm = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double difference = static_cast<double>(stored[i]) - values[i];
        error += difference * difference;
        norm += static_cast<double>(values[i]) * values[i];
    }
    constexpr double tolerance = 0x1p-10 * 0x1p-10;  // of the squared norm; rounding alone stays below a quarter of it
    if (!(error <= tolerance * norm)) return {DType::float16, weight.dims, {}};
    return half;
}

bool is_wide_or_narrow(DType dtype) { return is_floating(dtype) && dtype != DType::float32; }

Tensor widened(const Tensor& tensor) { return make_tensor(tensor.dims, std::span<const float>(to_floats(tensor))); }

constexpr auto float32_code = static_cast<std::int64_t>(DType::float32);

void widen_attributes(Node& node) {
    for (const char* type : {"to", "dtype", "output_dtype", "stash_type", "softmax_precision"}) {
        const auto code = attribute_or<std::int64_t>(node, type, 0);
        if (is_wide_or_narrow(static_cast<DType>(code))) node.attributes[type] = float32_code;
    }
    for (auto& [name, attribute] : node.attributes)
        if (const auto* tensor = std::get_if<Tensor>(&attribute); tensor && is_wide_or_narrow(tensor->dtype))
            attribute = widened(*tensor);
}

}  // namespace

int store_as_float16(Graph& graph) {
    std::map<std::string, Tensor> stored;
    std::vector<Node> casts;
    for (const auto& [name, tensor] : graph.initializers) {
        if (tensor.dtype != DType::float32 || tensor.dims.size() < 2 || tensor.count() == 0) continue;
        Tensor half = as_float16(tensor);
        if (half.bytes.empty()) continue;
        const std::string half_name = unused_name(graph, name + ".float16");
        casts.push_back(
            {"Cast", "", name + ".cast", {half_name}, {name}, {{"to", static_cast<std::int64_t>(DType::float32)}}});
        stored[half_name] = std::move(half);
    }
    for (const Node& cast : casts) graph.initializers.erase(cast.outputs[0]);
    graph.initializers.merge(stored);
    graph.nodes.insert(graph.nodes.begin(), casts.begin(), casts.end());
    return static_cast<int>(casts.size());
}

bool compute_in_float32(Graph& graph) {
    const auto changes = [](const Value& value) { return is_wide_or_narrow(value.dtype); };
    if (std::none_of(graph.inputs.begin(), graph.inputs.end(), changes) &&
        std::none_of(graph.outputs.begin(), graph.outputs.end(), changes) &&
        std::none_of(graph.initializers.begin(), graph.initializers.end(),
                     [](const auto& entry) { return is_wide_or_narrow(entry.second.dtype); }))
        return false;
    for (auto* values : {&graph.inputs, &graph.outputs})
        for (Value& value : *values)
            if (is_wide_or_narrow(value.dtype)) value.dtype = DType::float32;
    for (auto& [name, tensor] : graph.initializers)
        if (is_wide_or_narrow(tensor.dtype)) tensor = widened(tensor);
    for (Node& node : graph.nodes)
        if (node.domain.empty()) widen_attributes(node);
    const Shapes shapes = infer_shapes(graph);
    for (Node& node : graph.nodes) {
        if (node.op != "Cast" || !node.domain.empty() || attribute_or<std::int64_t>(node, "to", 0) != float32_code)
            continue;
        const auto input = shapes.find(node.inputs.at(0));
        if (input == shapes.end() || input->second.dtype != DType::float32) continue;
        node.op = "Identity";
        node.attributes.clear();
    }
    canonicalise(graph);
    return true;
}

}  // namespace ouaf::graph
