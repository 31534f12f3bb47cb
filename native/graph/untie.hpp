// Weights that an exporter merged because their values happened to be the same, taken apart again.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Optimising exporters store equal constants once: in a network that was not trained yet, all biases that are still
// zero and all scales that are still one of a size become one initializer, and training would move them together.
// A floating initializer whose elements are all equal and that several nodes read is copied for every reader but one:
// 'w' for a node of the module that it is named after (Node::modules), or else the first; 'w.2', 'w.3' … for the
// others. Weights of different values that nodes share are shared on purpose and stay so.
void untie_constants(Graph& graph);

}  // namespace ouaf::graph
