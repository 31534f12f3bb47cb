// Where a network looked: class activation mapping, Zhou et al. 2016, https://arxiv.org/abs/1512.04150. Of the networks
// that graph/activation_map.hpp can give the output to.
//
//     MappedNetwork network(model.graph);
//     MappedAnswer answer = network.answer(image);           // [1, 3, h, w]
//     at::Tensor map = attention(answer, predicted);         // [h', w'], 0 to 1
#pragma once

#include <ATen/core/Tensor.h>

#include "native/graph/graph.hpp"
#include "native/graph/network.hpp"

namespace ouaf {

struct MappedAnswer {
    at::Tensor logits;  // [classes]
    at::Tensor maps;  // [classes, h', w']: what each place added to each logit; undefined where there is no such output
};

class MappedNetwork {
 public:
    explicit MappedNetwork(graph::Graph graph);

    MappedAnswer answer(const at::Tensor& image);

 private:
    bool has_maps_ = false;
    graph::Network network_;
};

// How much each place spoke for the class: nothing below 0, the largest as 1. Undefined where there are no maps.
at::Tensor attention(const MappedAnswer& answer, std::size_t label);

}  // namespace ouaf
