// What is done to the graph around the classification head before training: dropout, and the feature extractor.
#pragma once

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// A Dropout of this ratio before the head, or the ratio of the one that stands there; 0 takes it out. Throws where
// find_heads does, and where ratio is not in [0, 1).
void insert_dropout(Graph& graph, float ratio);

// The feature extractor: the same network up to its head, [n, 3, h, w] -> [n, width]. A head that is a 1x1
// convolution leaves features at every place; their mean over the places comes out. A Dropout before the head goes
// too. Throws where find_features does.
Graph cut_head(Graph graph);

}  // namespace ouaf::graph
