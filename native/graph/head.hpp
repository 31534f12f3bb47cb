// The classification head: the last layer that mixes features with a constant weight, found by data flow from
// the first graph output, never by name. Read and replaced on the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct Head {
    std::size_t node = 0;                  // index of the Gemm, MatMul or 1x1 Conv in graph.nodes
    std::string features;                  // the value that goes into it
    std::string weight;                    // its initializer
    std::string bias;                      // initializer; empty where the head has none
    std::optional<std::size_t> bias_node;  // the Add after a MatMul that holds the bias
    bool rows_are_classes = true;          // weight is [classes, width] (Gemm transB, Conv), else [width, classes]
    std::int64_t classes = 0;
    std::int64_t width = 0;  // features a row
};

// The graph must be canonical (weights folded to float32). Networks that were trained by distillation average two
// heads; others have one. Throws where no head can be told: the way back from the output branches or ends without a
// Gemm, MatMul or 1x1 Conv with a float32 constant weight.
std::vector<Head> find_heads(const Graph& graph);

// The only one; throws where there are more.
Head find_head(const Graph& graph);

// The value that goes into the heads; throws where they have features of their own.
std::string find_features(const Graph& graph);

// The head's weight as rows [classes, width], row-major, and its bias [classes] (zeros where it has none),
// with Gemm's alpha and beta multiplied in; averaged where several heads read the same features.
struct HeadRows {
    std::int64_t classes = 0;
    std::int64_t width = 0;
    std::vector<float> weight;
    std::vector<float> bias;
};
HeadRows head_rows(const Graph& graph);

// A new head as PyTorch's Linear starts: weights and biases uniform in ±1 / sqrt(width), the same for a seed on every
// machine.
HeadRows fresh_rows(std::int64_t classes, std::int64_t width, std::uint64_t seed);

// A head of rows.classes classes in place of the old one, in the old layout; initializer names are kept. The
// output's declared shape and constant Reshapes after the head follow; fold_constants first where sizes are computed
// from constants, as PyTorch's unoptimised exports have them. Each of several heads gets the rows. Throws where
// rows.width is not the network's, or the arrays do not have the sizes they claim.
void replace_head(Graph& graph, const HeadRows& rows);

}  // namespace ouaf::graph
