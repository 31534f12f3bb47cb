// Neighbouring nodes merged into one step of the executable plan. The result has operators of the domain "ouaf"
// (ops/fused.cpp), so it is for running only and never written to a file. Each function changes `nodes` in place and
// leaves them in running order.
//
// A merged node takes the place of its last one: by then all that it reads is made.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Values that have to stay readable: graph outputs and the features before the head.
using Kept = std::unordered_set<std::string>;

// What a pattern looks at beside the nodes.
struct Surroundings {
    const Graph& graph;                                  // for its initializers
    const Kept& kept;                                    // values that no pattern may take away
    const std::unordered_map<std::string, Dims>& sizes;  // of the values whose sizes are known; may be empty
};

// x * Sigmoid(x) -> ouaf.Silu, and the Gelu that exporters to opsets below 20 spell with Erf -> ouaf.Gelu. Autograd
// keeps one activation in place of two, or of five.
void fuse_activations(std::vector<Node>& nodes, const Surroundings& around);

// MatMul with a constant of two axes, or with its Transpose, and the Add of a bias [columns] after it -> ouaf.Linear
// of x, weight and bias ("" where there is none), attribute rows_are_outputs: the weight is [outputs, inputs].
void fuse_linear(std::vector<Node>& nodes, const Surroundings& around);

// Softmax(scale q k' [+ mask]) v on four axes -> ouaf.Attention of q, k, v and mask, attribute scale: one pass that
// never holds the scores of all queries (https://arxiv.org/abs/2205.14135). Needs the sizes of q and k'.
void fuse_attention(std::vector<Node>& nodes, const Surroundings& around);

// BatchNormalization [+ Add of a value of the same sizes] [+ Relu], or + SiLU -> ouaf.BatchNormalization of x, scale,
// bias, mean, variance and residual ("" where there is none), attribute activation ("", "relu", "silu"). Where a
// GlobalAveragePool or its like reads the result beside others, its value is the second output. For training: it needs
// the sizes. Call after fuse_activations.
void fuse_batch_norms(std::vector<Node>& nodes, const Surroundings& around);

// Conv [+ activation], Conv + Add [+ Relu] -> ouaf.Conv of x, weight, bias, residual ("" where there is none), with the
// attributes activation ("", "swish", "sigmoid", "relu", "hardtanh", "hardswish", "gelu"), low and high (of hardtanh)
// and approximate (of gelu). For inference only. Call after fuse_activations.
void fuse_convolutions(std::vector<Node>& nodes, const Surroundings& around);

}  // namespace ouaf::graph
