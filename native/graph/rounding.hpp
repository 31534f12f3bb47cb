// Weights rounded to int8 by what they do to data, in place of to the nearest: a weight that is rounded up leaves an
// error that those not yet rounded can take back, where their inputs go up and down together.
//
//     Graph stored = export_rounded(graph, images);
//     Graph small = export_rounded(graph, images, 3.5);  // bits a weight, once it is compressed
//
// GPTQ: Frantar et al. 2022, https://arxiv.org/abs/2210.17323; what is left of each channel's mean error goes into its
// bias: Nagel et al. 2019, https://arxiv.org/abs/1906.04721.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// That runs and commands round against.
constexpr std::int64_t rounding_images = 256;

// Moves every weight that quantise_weights stores to a multiple of its channel's step, and the biases. With 8 bits the
// step is best_scale. With fewer, steps are so much wider that the integers' entropy, each weight's by itself, comes to
// that many bits on their mean (a deflated file comes within some hundredths of it), and are shared out by what an
// error costs: errors that all weights add to the cross-entropy are alike (Gersho and Gray 1992, chapter 8), by the
// channel's sensitivity and by how well its inputs let others take an error back. images: [n, 3, h, w], as the network
// sees them in use; some hundreds. The graph is canonical, its constants folded, and stays so. Weights of one or three
// spatial axes, and of a Gemm whose input is transposed, stay as they are.
void round_weights(Graph& graph, const at::Tensor& images, double bits = 8);

// export_graph with int8 weights that were rounded so.
Graph export_rounded(Graph graph, const at::Tensor& images, double bits = 8);

// The step of each channel of every weight that quantise_weights stores, by its initializer's name: shaped to be
// multiplied with the weight. best_scale's, so where round_weights has moved weights onto a grid, that grid's.
std::map<std::string, at::Tensor> weight_steps(const Graph& graph);

// What the inputs that one weight multiplies look like: mean [groups, width] and covariance [groups, width, width] of
// float64.
struct InputStatistics {
    at::Tensor mean;
    at::Tensor covariance;
};

// weight [groups, rows, width] float32, scale [groups, rows] -> the integers that stand for it, float64
// -127..127. Column by column, those of the largest variance first, each error is taken out of the columns that
// follow.
at::Tensor round_columns(const at::Tensor& weight, const at::Tensor& scale, const at::Tensor& covariance);

}  // namespace ouaf::graph
