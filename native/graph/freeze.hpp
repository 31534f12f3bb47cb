// Which parameters are trained: those that require a gradient. In training mode a batch norm whose scale is frozen
// keeps its running statistics, so freeze(network, "*bn*") also keeps batch norms as they are.
//
//     freeze(network, "*");               // feature extraction: then only what is named is trained
//     unfreeze(network, "classifier.*");
//     train_last(network, 2);             // the head and the two blocks before it
#pragma once

#include <string>

#include "native/graph/network.hpp"

namespace ouaf::graph {

// Every parameter whose name matches: * stands for any letters, ? for one, [ab] for one of these. Throws where
// none does, naming those that come closest.
void freeze(Network& network, const std::string& pattern);
void unfreeze(Network& network, const std::string& pattern);

// The head and the `blocks` before it are trained (see blocks.hpp), the rest is frozen; 0 trains the head alone. More
// blocks than there are train everything. Throws where blocks is below 0.
void train_last(Network& network, int blocks);

}  // namespace ouaf::graph
