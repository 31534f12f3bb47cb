// What ONNX's own shape inference says of a graph.
#pragma once

#include <string>
#include <unordered_map>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Element types and shapes of the inputs, initializers and every value whose producer could be inferred, by name. An
// unknown size is the empty text. Shapes that the graph itself computes (Shape, Gather, Concat, …) are followed.
//
// Throws runtime_error "source: Conv 'name' …" where an operator cannot take what it is given, or makes another type
// or shape than the graph declares for its output. No large tensor is copied, and no more than a few dozen dimensions a
// value are ever made, whatever sizes the file declares. Nodes of operators that ONNX does not know, and those that
// depend on them, are left out. The graph's nodes must be in running order.
using Shapes = std::unordered_map<std::string, Value>;
Shapes infer_shapes(const Graph& graph);

// Outputs without a shape, which ONNX's checker refuses, get the inferred one.
void declare_outputs(Graph& graph);

}  // namespace ouaf::graph
