// Where a network looks, as one more output of its graph: class activation mapping, Zhou et al. 2016,
// https://arxiv.org/abs/1512.04150. For networks whose linear head reads the mean over the places of the last feature
// map, as most do: the head before the mean, as a 1x1 convolution.
//
//     if (add_activation_map(graph, "activation_map")) …   // a file for others to run
#pragma once

#include <optional>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// The value whose mean over its places the head reads; none where something else is between them. The graph is
// canonical. Throws where find_features does.
std::optional<std::string> find_feature_map(const Graph& graph);

// Adds an output [n, classes, h, w]: what each place adds to each logit, so that a class's mean over the places and the
// head's bias are its logit. The head's weight is shared, stored as it is. False, and nothing changes, where the
// network is of another form or has a value of that name.
bool add_activation_map(Graph& graph, const std::string& name);

// Takes an output out of the graph, with all that only it needed.
void remove_output(Graph& graph, const std::string& name);

}  // namespace ouaf::graph
