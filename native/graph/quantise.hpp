// Weights to int8 and back, on the graph. The result is standard ONNX (opset 13): ONNX Runtime and ONNX
// Runtime Web load it and compute in float32.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "native/graph/canonicalise.hpp"
#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct StoredWeight {
    std::string name;  // of the initializer
    std::size_t axis;  // of the output channels
};

// The weight that quantise_weights would take from this node: what it multiplies its input by, a float32 constant.
std::optional<StoredWeight> stored_weight(const Graph& graph, const Node& node);

// Of the integers that weights are stored as.
constexpr int largest_integer = 127;

// Replaces every float32 constant weight of Conv, Gemm and MatMul (two dimensions) by int8 values behind a
// DequantizeLinear with one scale an output channel (best_scale), symmetric (no zero point). The initializer
// 'w' becomes 'w.int8' and 'w.scale', and the DequantizeLinear's output takes the name 'w'. Biases stay
// float32. Undone (up to the rounding) by canonicalise. Throws where the graph's opset is below 13.
void quantise_weights(Graph& graph);

// The scale s for which the sum of (value - s * clamp(round(value / s), -127, 127))^2 is smallest among the candidates
// max|value| / m and their least-squares refinements. 1 for values that are all zero.
// Values that are already s0 * integer, of integers without a common divisor, come back with s0: quantising twice
// changes nothing, and weights on a coarse grid stay on it.
float best_scale(std::span<const float> values);

// round half to even, clamped to -127..127.
std::int8_t to_int8(float value, float scale);

}  // namespace ouaf::graph
