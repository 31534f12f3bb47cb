// Several networks of one form as one, whose weights are a weighted mean of theirs: a fine-tuned one and what it began
// from (WiSE-FT, Wortsman et al. 2022, https://arxiv.org/abs/2109.01903), or runs that began from the same (model
// soups, Wortsman et al. 2022, https://arxiv.org/abs/2203.05482).
#pragma once

#include <span>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// The graphs are canonical, their constants folded; `shares` has one number a graph, their sum is 1. All but their
// float32 weights is the first one's. Throws std::runtime_error "source: …" naming the first thing in which a graph is
// of another form.
Graph blend(std::span<const Graph> graphs, std::span<const double> shares);

}  // namespace ouaf::graph
