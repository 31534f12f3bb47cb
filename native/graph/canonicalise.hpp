// Brings an imported graph to the one form the rest of this folder reads. It stays standard ONNX and computes
// the same values:
//   - nodes in an order that can be run
//   - Constant nodes become initializers
//   - DequantizeLinear of constant integers, and Cast to float32 of constant float16, bfloat16 or float64, become an
//     initializer of the output's name: float32 (DequantizeLinear with float16 scales: float16)
//   - Transposes of Transposes become one, or none
//   - Identity nodes are removed, except where a graph input or initializer is itself an output
//   - TensorFlow's Erfc and Expm1, which tf2onnx leaves in a file, are spelled out in ONNX's operators (float32 files)
//   - sequences that are only taken apart again become slices (sequences.hpp)
//   - weights that an exporter merged because they were equal are taken apart (untie.hpp)
//   - initializers that nothing reads are dropped, and inputs that nothing reads where another one is read
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Throws runtime_error("source: …") on what sort_topologically refuses and on quantisation parameters whose
// sizes do not fit their weight,
// or that unpack the same weights too often for a file of this size.
void canonicalise(Graph& graph);

}  // namespace ouaf::graph
