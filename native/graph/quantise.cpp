// See quantise.hpp.
#include "native/graph/quantise.hpp"

#include <algorithm>
#include <cmath>

namespace ouaf::graph {

namespace {

double squared_error(std::span<const float> values, float scale, int largest) {
    double error = 0;
    for (const float value : values) {
        const double difference = value - scale * static_cast<float>(to_int8(value, scale, largest));
        error += difference * difference;
    }
    return error;
}

// With the integers fixed, the scale of least squared error.
float refitted(std::span<const float> values, float scale, int largest) {
    double product = 0;
    double square = 0;
    for (const float value : values) {
        const double integer = to_int8(value, scale, largest);
        product += integer * value;
        square += integer * integer;
    }
    return square > 0 ? static_cast<float>(product / square) : scale;
}

// The DequantizeLinear that takes the place of the weight's initializer.
Node quantise(Graph& graph, const StoredWeight& weight, int bits) {
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
    const int largest = largest_integer(bits, static_cast<std::int64_t>(values.size() / channels));
    std::vector<float> scales;
    for (const auto& slice : slices) scales.push_back(best_scale(slice, largest));
    std::vector<std::int8_t> integers(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) integers[i] = to_int8(values[i], scales[channel_of(i)], largest);

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

int largest_integer(int bits, std::int64_t row_width) {
    constexpr std::int64_t few = 64;
    return (1 << ((row_width < few ? 8 : bits) - 1)) - 1;
}

std::int8_t to_int8(float value, float scale, int largest) {
    // Adding 1.5 * 2^23 rounds a small float to an integer in the sum's last bit, many times faster than a
    // call.
    constexpr float rounder = 12582912.0f;
    const float clamped = std::clamp(value / scale, -static_cast<float>(largest), static_cast<float>(largest));
    return static_cast<std::int8_t>((clamped + rounder) - rounder);
}

float best_scale(std::span<const float> values, int largest) {
    float top = 0;
    for (const float value : values) top = std::max(top, std::abs(value));
    if (top < 1e-30f || !std::isfinite(top)) return 1;  // all zero, but for what float32 cannot scale
    // m = largest keeps the top value exactly; a larger m clips it for a finer step elsewhere, which pays where
    // values are many and the top stands alone; a smaller m finds the scale of values quantised before.
    const auto steps = static_cast<float>(largest);
    float best = top / steps;
    double least = squared_error(values, best, largest);
    const auto consider = [&](float scale) {
        const double error = squared_error(values, scale, largest);
        if (error < least) {
            least = error;
            best = scale;
        }
    };
    for (int m = largest / 2 + 1; m < largest; ++m) consider(top / static_cast<float>(m));
    constexpr int clipped = 32;  // candidates from the largest to half as many steps more
    for (int i = 0; i <= clipped; ++i) {
        const float scale = top / (steps * (1 + 0.5f * static_cast<float>(i) / clipped));
        consider(scale);
        consider(refitted(values, scale, largest));
    }
    return best;
}

void quantise_weights(Graph& graph, int bits) {
    const auto opset = graph.opsets.find("");
    if (opset == graph.opsets.end() || opset->second < 13)
        fail(graph, "int8 weights with a scale a channel need opset 13 or newer; export the model with opset 13");
    std::vector<Node> dequantise;
    for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
        // A weight that two nodes share is gone from the initializers when the second asks.
        if (const auto weight = stored_weight(graph, graph.nodes[index]))
            dequantise.push_back(quantise(graph, *weight, bits));
    }
    graph.nodes.insert(graph.nodes.begin(), std::make_move_iterator(dequantise.begin()),
                       std::make_move_iterator(dequantise.end()));
}

}  // namespace ouaf::graph
