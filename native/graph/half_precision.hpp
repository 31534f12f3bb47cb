// Weights stored as float16 and computed in float32; networks that compute in other floating types made float32.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// Replaces float32 constants of two and more dimensions by float16 values behind a Cast to float32: the initializer
// 'w' becomes 'w.float16', and the Cast's output takes the name 'w'. ONNX Runtime computes the Cast once, when it
// loads the model; canonicalise undoes it. Vectors (biases, scales, statistics) stay float32, and so do weights that
// float16 does not hold within 2^-10 of their norm: those with values beyond 65504, or nearly all below 6e-5.
// Returns how many were replaced.
int store_as_float16(Graph& graph);

// Inputs, outputs, constants and casts of float16, bfloat16 and float64 become float32: a network that was stored in
// half precision is trained and answers in float32. Integers stay. Returns whether there was anything to change. The
// graph must be canonical; so it is afterwards.
bool compute_in_float32(Graph& graph);

}  // namespace ouaf::graph
