// Brings an imported graph to the one form the rest of this folder reads. It stays standard ONNX and computes
// the same values:
//   - nodes in an order that can be run
//   - Constant nodes become initializers
//   - DequantizeLinear of constant 8-bit or 32-bit weights becomes a float32 initializer of the output's name
//   - Identity nodes are removed, except where a graph input or initializer is itself an output
//   - TensorFlow's Erfc and Expm1, which tf2onnx leaves in a file, are spelled out in ONNX's operators (float32 files)
//   - initializers that nothing reads are dropped, and inputs that nothing reads where another one is read
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Throws runtime_error("source: …") on what sort_topologically refuses and on quantisation parameters whose
// sizes do not fit their weight.
void canonicalise(Graph& graph);

}  // namespace ouaf::graph
