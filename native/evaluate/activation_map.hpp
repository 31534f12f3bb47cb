// Where a network looked: class activation mapping, Zhou et al. 2016, https://arxiv.org/abs/1512.04150. Of networks
// whose linear head reads the mean over the places of the last feature map, as most do.
//
//     MappedNetwork network(model.graph);
//     MappedAnswer answer = network.answer(image);           // [1, 3, h, w]
//     at::Tensor map = network.map(answer, predicted);       // [h', w'], 0 to 1
#pragma once

#include <ATen/core/Tensor.h>

#include "native/graph/graph.hpp"
#include "native/graph/head.hpp"
#include "native/graph/network.hpp"

namespace ouaf {

struct MappedAnswer {
    at::Tensor logits;    // [classes]
    at::Tensor features;  // [channels, h', w'] before the mean; undefined where the network is of another form
};

class MappedNetwork {
 public:
    explicit MappedNetwork(graph::Graph graph);

    MappedAnswer answer(const at::Tensor& image);

    // How much each place spoke for the class: what it added to the logit, nothing below 0, the largest as 1. Undefined
    // where there are no features.
    at::Tensor map(const MappedAnswer& answer, std::size_t label) const;

 private:
    struct Parts;
    explicit MappedNetwork(Parts parts);

    graph::HeadRows rows_;
    bool has_map_ = false;
    graph::Network network_;
};

}  // namespace ouaf
