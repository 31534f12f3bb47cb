// Neighbouring nodes merged into one step of the executable plan. The result has operators of the domain
// "ouaf" (ops/fused.cpp and Silu), so it is for running only and never written to a file.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Values that have to stay readable: graph outputs and the features before the head.
using Kept = std::unordered_set<std::string>;

// x * Sigmoid(x) -> Silu(x). Differentiable, and autograd keeps one activation in place of two.
void fuse_silu(std::vector<Node>& nodes, const Kept& kept);

// Conv [+ activation], Conv + Add [+ Relu] -> one "ouaf" Conv with inputs x, weight, bias, residual ("" where
// there is none) and the attributes activation ("", "swish", "sigmoid", "relu", "hardtanh", "hardswish"), low
// and high (for hardtanh). For inference only. Call after fuse_silu. graph gives the constants.
void fuse_convolutions(std::vector<Node>& nodes, const Graph& graph, const Kept& kept);

}  // namespace ouaf::graph
