// Transposes that follow each other: one, or none.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// A Transpose of a Transpose reads the first one's input with both permutations in one; where that is the order it
// had, an Identity takes its place. Nodes that nothing reads any more are dropped. The nodes must be in running order.
void merge_transposes(Graph& graph);

}  // namespace ouaf::graph
