// Constants computed once, at import: the chains of Shape, Gather, Concat, Expand and CastLike that exporters leave
// around Reshape, Range and the like.
#pragma once

#include "native/graph/graph.hpp"
#include "native/graph/value_types.hpp"

namespace ouaf::graph {

// Replaces nodes whose inputs are all constant by initializers named after their outputs, and what reads only the sizes
// or the type of a value that the file or `types` fixes. Not folded: what reads a weight (see is_weight; it stays a
// parameter under its own name), results of more than 2^20 elements, nodes that
// throw (they say what is wrong when they run), and nothing more once 2^26 elements were read and made. The graph must
// be canonical.
void fold_constants(Graph& graph, const ValueTypes& types = {});

// CastLike becomes Cast where the type of what it follows can be inferred, so that constants made like the input (as
// PyTorch writes the zeros of a missing bias) can be folded. For export; in training they would become parameters that
// the network's author did not have. The graph must be canonical.
void cast_like_to_cast(Graph& graph);

}  // namespace ouaf::graph
