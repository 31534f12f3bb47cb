// What is put before the first layer of a trained graph, so that whoever runs it need not know of it.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Every image [c, h, w], as one row, times `matrix` [c*h*w, c*h*w] float32 goes into the network in its place. Throws
// where the input has no fixed sizes c, h, w of that product.
void multiply_input(Graph& graph, const Tensor& matrix);

}  // namespace ouaf::graph
