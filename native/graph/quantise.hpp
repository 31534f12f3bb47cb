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

// Of the integers that weights are stored as: 127 for 8 bits. Fewer bits are stored in as many bytes, which a
// compressed file holds in fewer. Rows of few weights (depthwise filters, the first layer's) keep 8: they weigh little.
int largest_integer(int bits, std::int64_t row_width);

// Replaces every float32 constant weight of Conv, Gemm and MatMul (two dimensions) by int8 values behind a
// DequantizeLinear with one scale an output channel, symmetric (up to largest_integer, no zero point). The initializer
// 'w' becomes 'w.int8' and 'w.scale', and the DequantizeLinear's output takes the name 'w'. Biases stay
// float32. Undone (up to the rounding) by canonicalise. Throws where the graph's opset is below 13.
void quantise_weights(Graph& graph, int bits = 8);

// The scale s for which the sum of (value - s * clamp(round(value / s), -largest, largest))^2 is smallest among the
// candidates max|value| / m and their least-squares refinements. 1 for values that are all zero.
// Values that are already s0 * integer come back with s0, so quantising twice changes nothing.
float best_scale(std::span<const float> values, int largest = 127);

// round half to even, clamped to -largest..largest, 127 at most.
std::int8_t to_int8(float value, float scale, int largest = 127);

}  // namespace ouaf::graph
