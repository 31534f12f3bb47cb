// See activation_map.hpp.
#include "native/evaluate/activation_map.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <utility>
#include <vector>

#include "native/graph/activation_map.hpp"

namespace ouaf {

MappedNetwork::MappedNetwork(graph::Graph graph)
    : has_maps_(graph::add_activation_map(graph, "activation_map")), network_(std::move(graph)) {}

MappedAnswer MappedNetwork::answer(const at::Tensor& image) {
    const c10::InferenceMode inference;
    const std::vector<at::Tensor> outputs = network_.forward(std::vector<at::Tensor>{image});
    return {outputs.at(0)[0].contiguous(), has_maps_ ? outputs.back()[0] : at::Tensor()};
}

at::Tensor attention(const MappedAnswer& answer, std::size_t label) {
    if (!answer.maps.defined()) return {};
    const at::Tensor map = answer.maps[static_cast<std::int64_t>(label)].clamp_min(0);
    const auto largest = map.max().item<float>();
    return largest > 0 ? map / largest : map;
}

}  // namespace ouaf
