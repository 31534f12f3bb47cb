// Where a network can be parted. A block lies between two neighbouring values through which all data flow from the
// inputs to the first output passes, such as two residual sums; it holds at least one convolution or matrix product
// with a weight: a normalisation or an activation between two layers belongs to the block before. Blocks are
// numbered from the input, 0; the last one is the head.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct Blocks {
    int count = 1;
    // Initializer -> block; of one that several blocks read, the first of them.
    std::unordered_map<std::string, int> of_constant;
};

// trainable: names of initializers that are weights. Sizes of the data (Shape, Size) do not count as data flow. The
// graph must be canonical. Time is linear in its nodes.
Blocks find_blocks(const Graph& graph, const std::unordered_set<std::string>& trainable);

}  // namespace ouaf::graph
