// Lists of tensors that are only taken apart again: exporters write Python's split and unbind this way.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// SequenceAt of a SplitToSequence, both by constants, becomes a Slice or a Gather of what was split. What is left of
// sequences is refused by name when the graph is run. The graph must be sorted and its Constant nodes initializers.
void take_sequences_apart(Graph& graph);

}  // namespace ouaf::graph
