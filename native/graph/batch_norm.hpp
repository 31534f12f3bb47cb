// Batch norms with fixed statistics as part of the layer before them.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct FoldedBatchNorms {
    int folded = 0;
    int kept = 0;
};

// y = scale (x - mean) / sqrt(variance + epsilon) + bias is one multiplication and one addition a channel: both go
// into the weight and bias of the Conv (any groups), ConvTranspose, Gemm, or MatMul with or without an Add of a
// constant, that alone makes x for it. Computed in float64, stored as float32. Kept are batch norms with nothing of
// that kind before them, in training mode, or with parameters that are not constant; and after a MatMul of other than
// two dimensions, whose channels are another axis. The graph must be canonical; so it is afterwards.
FoldedBatchNorms fold_batch_norms(Graph& graph);

}  // namespace ouaf::graph
