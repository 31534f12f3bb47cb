// See untie.hpp.
#include "native/graph/untie.hpp"

#include <algorithm>
#include <optional>

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

// Whether the node looks at no more than the input's sizes or its type.
bool reads_no_elements(const Node& node, std::size_t input) {
    if (!node.domain.empty()) return false;
    return node.op == "Shape" || node.op == "Size" || (node.op == "CastLike" && input == 1);
}

// The nodes whose elements go into an output; of others no more than sizes and types do.
std::vector<Node*> nodes_that_count(Graph& graph) {
    std::unordered_set<std::string> values;  // whose elements go into an output
    for (const Value& output : graph.outputs) values.insert(output.name);
    std::vector<Node*> nodes;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        const auto counts = [&](const std::string& output) { return values.contains(output); };
        if (std::none_of(node->outputs.begin(), node->outputs.end(), counts)) continue;
        nodes.push_back(&*node);
        for (std::size_t i = 0; i < node->inputs.size(); ++i)
            if (!reads_no_elements(*node, i)) values.insert(node->inputs[i]);
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
}

struct Place {
    Node* node;
    std::size_t input;
};

// Where the name belongs: with the first node that stands right in the module that the weight is named after, else with
// the first below that module, else with the first of all.
std::size_t owner(const std::string& name, const std::vector<Place>& readers) {
    const std::string module = "'" + name.substr(0, name.rfind('.')) + "'";
    std::optional<std::size_t> below;
    for (std::size_t i = 0; i < readers.size(); ++i) {
        const std::string& modules = readers[i].node->modules;  // the last of them is the node's own name
        const auto found = modules.find(module);
        if (found == std::string::npos) continue;
        if (found + module.size() == modules.rfind(", ")) return i;
        if (!below) below = i;
    }
    return below.value_or(0);
}

}  // namespace

void untie_constants(Graph& graph) {
    std::map<std::string, std::vector<Place>> readers;
    for (Node* node : nodes_that_count(graph))
        for (std::size_t i = 0; i < node->inputs.size(); ++i) {
            const auto found = graph.initializers.find(node->inputs[i]);
            if (found == graph.initializers.end() || reads_no_elements(*node, i) || !is_uniform(found->second))
                continue;
            readers[node->inputs[i]].push_back({node, i});
        }
    std::unordered_set<std::string> taken;
    for (const auto& [name, made] : producers(graph.nodes)) taken.insert(name);
    for (const auto& [name, tensor] : graph.initializers) taken.insert(name);
    for (const Value& input : graph.inputs) taken.insert(input.name);
    for (const auto& [name, places] : readers) {
        const std::size_t kept = owner(name, places);
        for (std::size_t i = 0, copies = 1; i < places.size(); ++i) {
            if (i == kept) continue;
            std::string copy = name + "." + std::to_string(++copies);
            while (!taken.insert(copy).second) copy += "_";
            graph.initializers[copy] = graph.initializers.at(name);
            places[i].node->inputs[places[i].input] = copy;
        }
    }
}

}  // namespace ouaf::graph
