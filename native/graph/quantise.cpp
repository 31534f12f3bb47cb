// See quantise.hpp.
#include "native/graph/quantise.hpp"

#include <algorithm>
#include <cmath>

namespace ouaf::graph {

namespace {

constexpr auto largest = static_cast<float>(largest_integer);

double squared_error(std::span<const float> values, float scale) {
    double error = 0;
    for (const float value : values) {
        const double difference = value - scale * static_cast<float>(to_int8(value, scale));
        error += difference * difference;
    }
    return error;
}

// With the integers fixed, the scale of least squared error.
float refitted(std::span<const float> values, float scale) {
    double product = 0;
    double square = 0;
    for (const float value : values) {
        const double integer = to_int8(value, scale);
        product += integer * value;
        square += integer * integer;
    }
    return square > 0 ? static_cast<float>(product / square) : scale;
}

// Up to what float32 loses of a product: far less than chance would bring some values together to.
bool lie_on(std::span<const float> values, float scale) {
    constexpr float tolerance = 1e-4f;
    return std::ranges::all_of(values, [&](float value) {
        return std::abs(value / scale - static_cast<float>(to_int8(value, scale))) < tolerance;
    });
}

// The DequantizeLinear that takes the place of the weight's initializer.
Node quantise(Graph& graph, const StoredWeight& weight) {
    const Tensor original = std::move(graph.initializers.at(weight.name));
    graph.initializers.erase(weight.name);
    const auto values = original.values<float>();
    const auto channels = static_cast<std::size_t>(original.dims[weight.axis]);
    std::size_t inner = 1;
    for (std::size_t after = weight.axis + 1; after < original.dims.size(); ++after)
        inner *= static_cast<std::size_t>(original.dims[after]);
    const auto channel_of = [&](std::size_t i) { return (i / inner) % channels; };

    std::vector<std::vector<float>> slices(channels);
    for (std::size_t i = 0; i < values.size(); ++i) slices[channel_of(i)].push_back(values[i]);
    std::vector<float> scales;
    for (const auto& slice : slices) scales.push_back(best_scale(slice));
    std::vector<std::int8_t> integers(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) integers[i] = to_int8(values[i], scales[channel_of(i)]);

    graph.initializers[weight.name + ".int8"] = make_tensor(original.dims, std::span<const std::int8_t>(integers));
    graph.initializers[weight.name + ".scale"] =
        make_tensor({original.dims[weight.axis]}, std::span<const float>(scales));
    Node node{"DequantizeLinear", "", weight.name + ".dequantize", {weight.name + ".int8", weight.name + ".scale"},
              {weight.name},      {}};
    node.attributes["axis"] = static_cast<std::int64_t>(weight.axis);
    return node;
}

}  // namespace

std::optional<StoredWeight> stored_weight(const Graph& graph, const Node& node) {
    if (!node.domain.empty() || node.inputs.size() < 2) return std::nullopt;
    const auto found = graph.initializers.find(node.inputs[1]);
    if (found == graph.initializers.end() || found->second.dtype != DType::float32 || found->second.count() == 0)
        return std::nullopt;
    const std::size_t rank = found->second.dims.size();
    if (node.op == "Conv" && rank >= 3) return StoredWeight{node.inputs[1], 0};
    if (node.op == "Gemm" && rank == 2) {
        const bool rows_are_outputs = attribute_or<std::int64_t>(node, "transB", 0) != 0;
        return StoredWeight{node.inputs[1], rows_are_outputs ? std::size_t{0} : std::size_t{1}};
    }
    if (node.op == "MatMul" && rank == 2) return StoredWeight{node.inputs[1], 1};
    return std::nullopt;
}

std::int8_t to_int8(float value, float scale) {
    // Adding 1.5 * 2^23 rounds a small float to an integer in the sum's last bit, many times faster than a
    // call.
    constexpr float rounder = 12582912.0f;
    const float clamped = std::clamp(value / scale, -largest, largest);
    return static_cast<std::int8_t>((clamped + rounder) - rounder);
}

float best_scale(std::span<const float> values) {
    float top = 0;
    for (const float value : values) top = std::max(top, std::abs(value));
    if (top < 1e-30f || !std::isfinite(top)) return 1;  // all zero, but for what float32 cannot scale
    for (int m = 1; m <= largest_integer; ++m)
        if (const float scale = top / static_cast<float>(m); lie_on(values, scale)) return scale;
    float best = top / largest;
    double least = squared_error(values, best);
    const auto consider = [&](float scale) {
        const double error = squared_error(values, scale);
        if (error < least) {
            least = error;
            best = scale;
        }
    };
    // m = 127 keeps the top value exactly; a larger m clips it for a finer step elsewhere, which pays where values are
    // many and the top stands alone.
    constexpr int candidates = 32;  // from 127 to half as many more
    for (int i = 0; i <= candidates; ++i) {
        const float scale = top / (largest * (1 + 0.5f * static_cast<float>(i) / candidates));
        consider(scale);
        consider(refitted(values, scale));
    }
    return best;
}

void quantise_weights(Graph& graph) {
    const auto opset = graph.opsets.find("");
    if (opset == graph.opsets.end() || opset->second < 13)
        fail(graph, "int8 weights with a scale a channel need opset 13 or newer; export the model with opset 13");
    std::vector<Node> dequantise;
    for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
        // A weight that two nodes share is gone from the initializers when the second asks.
        if (const auto weight = stored_weight(graph, graph.nodes[index]))
            dequantise.push_back(quantise(graph, *weight));
    }
    graph.nodes.insert(graph.nodes.begin(), std::make_move_iterator(dequantise.begin()),
                       std::make_move_iterator(dequantise.end()));
}

}  // namespace ouaf::graph
