// Constants computed once, at import: the chains of Shape, Gather, Concat, Expand and CastLike that exporters leave
// around Reshape, Range and the like.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Replaces nodes whose inputs are all constant by initializers named after their outputs, and Shape of an input
// whose sizes the file fixes. Not folded: what reads a floating constant of more than one element (that is a
// weight, which stays a parameter under its own name), results of more than 2^20 elements, nodes that throw (they
// say what is wrong when they run), and nothing more once 2^26 elements were read and made. The graph must be
// canonical.
void fold_constants(Graph& graph);

}  // namespace ouaf::graph
