// See blend.hpp.
#include "native/graph/blend.hpp"

#include <algorithm>

namespace ouaf::graph {
namespace {

void check_form(const Graph& first, const Graph& other) {
    const auto differ = [&](const std::string& what) {
        fail(other, what + " is not as in " + first.source + "; blend networks that began from the same one");
    };
    if (first.nodes.size() != other.nodes.size()) differ("the number of operators");
    for (std::size_t i = 0; i < first.nodes.size(); ++i) {
        const Node& node = first.nodes[i];
        const Node& found = other.nodes[i];
        if (node.op != found.op || node.inputs != found.inputs || node.outputs != found.outputs)
            differ(describe(found));
    }
    if (first.initializers.size() != other.initializers.size()) differ("the number of weights");
    for (const auto& [name, tensor] : first.initializers) {
        const auto found = other.initializers.find(name);
        if (found == other.initializers.end() || found->second.dtype != tensor.dtype ||
            found->second.dims != tensor.dims || found->second.bytes.size() != tensor.bytes.size() ||
            (!is_floating(tensor.dtype) && found->second.bytes != tensor.bytes))
            differ("'" + name + "'");
    }
}

}  // namespace

Graph blend(std::span<const Graph> graphs, std::span<const double> shares) {
    for (const Graph& graph : graphs.subspan(1)) check_form(graphs[0], graph);
    Graph blended = graphs[0];
    for (auto& [name, tensor] : blended.initializers) {
        if (tensor.dtype != DType::float32) continue;
        const std::span<float> values = tensor.values<float>();
        std::vector<double> sum(values.size());
        for (std::size_t i = 0; i < graphs.size(); ++i) {
            const std::span<const float> part = graphs[i].initializers.at(name).values<float>();
            for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += shares[i] * part[k];
        }
        std::ranges::transform(sum, values.begin(), [](double value) { return static_cast<float>(value); });
    }
    return blended;
}

}  // namespace ouaf::graph
