// The form in which a bundle keeps a network, whatever program exported it.
#pragma once

#include <string>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Canonicalises the graph and brings it to images [n, channels, height, width] float32 in, logits out:
//   - float16, bfloat16 and float64 become float32 (half_precision.hpp)
//   - a Softmax or LogSoftmax over the classes, the last to compute on the way to the first output, is taken off: the
//     bundle's ranking applies the softmax itself, with its temperature
//   - an input [n, height, width, channels] of 1 or 3 channels, TensorFlow's order, becomes [n, channels, height,
//     width]; the Transpose that such files have before their first convolution goes
// Returns what was done, a phrase each. The names of inputs and outputs stay. Throws where the network ends in a
// Sigmoid: its classes do not exclude each other, and a ranking by softmax would be wrong.
std::vector<std::string> to_classifier_form(Graph& graph);

}  // namespace ouaf::graph
