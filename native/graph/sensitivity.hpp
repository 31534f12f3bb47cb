// How much a network's answers mind an error in each of its channels.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// The diagonal of the Fisher information of what `nodes` (Conv, Gemm and MatMul of the graph) give out, a channel: the
// mean over the images of the squared gradient, summed over places, of the log probability of a class that is drawn
// from the network's own answer. Half of it times the mean square of an error is what the error adds to the
// cross-entropy. The graph's first output are logits [n, classes]; images: [n, 3, h, w]. One float64 tensor [channels]
// a node, in their order; 0 where no gradient comes to.
std::vector<at::Tensor> channel_sensitivities(const Graph& graph, const std::vector<Node>& nodes,
                                              const at::Tensor& images);

}  // namespace ouaf::graph
