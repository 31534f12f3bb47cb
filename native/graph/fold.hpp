// Constants computed once, at import: the chains of Shape, Gather, Concat, Expand and CastLike that exporters leave
// around Reshape, Range and the like.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Replaces nodes whose inputs are all constant by initializers named after their outputs, and Shape of an input
// whose sizes the file fixes. Not folded: what reads a floating constant of more than one element (that is a
// weight, which stays a parameter under its own name), results of more than 2^22 elements, and nodes that throw:
// they say what is wrong when they run. The graph must be canonical.
void fold_constants(Graph& graph);

// CastLike becomes Cast where the type of what it follows can be inferred, so that constants made like the input (as
// PyTorch writes the zeros of a missing bias) can be folded. For export; in training they would become parameters that
// the network's author did not have. The graph must be canonical.
void cast_like_to_cast(Graph& graph);

}  // namespace ouaf::graph
