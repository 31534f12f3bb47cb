// See activation_map.hpp.
#include "native/evaluate/activation_map.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <stdexcept>
#include <utility>

#include "native/graph/activation_map.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/fold.hpp"

namespace ouaf {

struct MappedNetwork::Parts {
    graph::Graph graph;
    graph::HeadRows rows;
    bool has_map = false;
};

MappedNetwork::MappedNetwork(graph::Graph graph)
    : MappedNetwork([&] {
          graph::canonicalise(graph);
          graph::fold_constants(graph);
          Parts parts{std::move(graph), {}, false};
          parts.rows = graph::head_rows(parts.graph);
          if (const std::optional<std::string> map = graph::find_feature_map(parts.graph)) {
              parts.graph.outputs.push_back({*map, graph::DType::float32, false, {}});
              parts.has_map = true;
          }
          return parts;
      }()) {}

MappedNetwork::MappedNetwork(Parts parts)
    : rows_(std::move(parts.rows)), has_map_(parts.has_map), network_(std::move(parts.graph)) {}

MappedAnswer MappedNetwork::answer(const at::Tensor& image) {
    const c10::InferenceMode inference;
    const std::vector<at::Tensor> outputs = network_.forward(std::vector<at::Tensor>{image});
    MappedAnswer answer{outputs.at(0)[0].contiguous(), {}};
    // What a mean is taken of may be another thing than [1, channels, h, w] with as many channels as the head reads.
    if (has_map_ && outputs.back().dim() == 4 && outputs.back().size(1) == rows_.width)
        answer.features = outputs.back()[0].contiguous();
    return answer;
}

at::Tensor MappedNetwork::map(const MappedAnswer& answer, std::size_t label) const {
    if (!answer.features.defined()) return {};
    const auto first = rows_.weight.begin() + static_cast<std::ptrdiff_t>(label) * rows_.width;
    const at::Tensor row = at::tensor(std::vector<float>(first, first + rows_.width));
    const at::Tensor map = at::einsum("c,chw->hw", {row, answer.features}).clamp_min(0);
    const auto largest = map.max().item<float>();
    return largest > 0 ? map / largest : map;
}

}  // namespace ouaf
