// See untie.hpp.
#include "native/graph/untie.hpp"

#include <algorithm>

namespace ouaf::graph {

namespace {

// Biases and scales are small; what is larger is no weight that was merged, and a hostile file could make much of it.
constexpr std::int64_t most_elements = std::int64_t{1} << 16;

bool is_uniform(const Tensor& tensor) {
    if (!is_floating(tensor.dtype)) return false;
    const std::size_t size = byte_size(tensor.dtype);
    const std::size_t count = tensor.bytes.size() / size;
    if (count < 1 || count > static_cast<std::size_t>(most_elements)) return false;
    return std::equal(tensor.bytes.begin() + static_cast<std::ptrdiff_t>(size), tensor.bytes.end(),
                      tensor.bytes.begin());
}

}  // namespace

void untie_constants(Graph& graph) {
    std::unordered_map<std::string, int> readers;
    const auto made_by = producers(graph.nodes);
    const auto is_input = [&](const std::string& name) {
        return std::any_of(graph.inputs.begin(), graph.inputs.end(),
                           [&](const Value& input) { return input.name == name; });
    };
    const auto uses = use_counts(graph.nodes, graph.outputs);
    for (Node& node : graph.nodes)
        for (std::string& input : node.inputs) {
            const auto found = graph.initializers.find(input);
            if (found == graph.initializers.end() || uses.at(input) < 2 || !is_uniform(found->second)) continue;
            int& reader = readers[input];
            if (++reader == 1) continue;
            std::string copy = input + "." + std::to_string(reader);
            while (graph.initializers.contains(copy) || made_by.contains(copy) || is_input(copy)) copy += "_";
            graph.initializers[copy] = found->second;
            input = copy;
        }
}

}  // namespace ouaf::graph
