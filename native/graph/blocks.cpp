// See blocks.hpp.
#include "native/graph/blocks.hpp"

#include <algorithm>

namespace ouaf::graph {

namespace {

using Names = std::unordered_set<std::string>;

bool any_in(const std::vector<std::string>& names, const Names& set) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return set.contains(name); });
}

void add_all(Names& set, const std::vector<std::string>& names) { set.insert(names.begin(), names.end()); }

// The values that are computed from the graph's inputs, not only from their sizes.
Names data_values(const Graph& graph) {
    Names data;
    for (const Value& input : graph.inputs) data.insert(input.name);
    for (const Node& node : graph.nodes) {
        const bool sizes = node.domain.empty() && (node.op == "Shape" || node.op == "Size");
        if (!sizes && any_in(node.inputs, data)) add_all(data, node.outputs);
    }
    data.erase("");
    return data;
}

// For each node: whether data flow through it to the first output.
std::vector<bool> on_the_way(const Graph& graph, const Names& data) {
    std::vector<bool> on_way(graph.nodes.size(), false);
    Names wanted{graph.outputs.at(0).name};
    for (std::size_t index = graph.nodes.size(); index-- > 0;) {
        const Node& node = graph.nodes[index];
        if (!any_in(node.outputs, wanted)) continue;
        on_way[index] = any_in(node.inputs, data) && any_in(node.outputs, data);
        add_all(wanted, node.inputs);
    }
    return on_way;
}

// For each node: how many cuts lie before it. After the node that makes a cut, its output is the only value on the
// way that is still to be read, in whichever order the nodes stand.
std::vector<int> cuts_before(const Graph& graph, const Names& data, const std::vector<bool>& on_way) {
    std::unordered_map<std::string, int> reads{{graph.outputs.at(0).name, 1}};
    for (std::size_t index = 0; index < graph.nodes.size(); ++index)
        for (const std::string& input : graph.nodes[index].inputs)
            if (on_way[index] && data.contains(input)) ++reads[input];
    int live = 0;
    for (const Value& input : graph.inputs) live += reads.contains(input.name) ? 1 : 0;
    std::vector<int> before(graph.nodes.size(), 0);
    int cuts = 0;
    for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
        before[index] = cuts;
        if (!on_way[index]) continue;
        for (const std::string& output : graph.nodes[index].outputs) live += reads.contains(output) ? 1 : 0;
        for (const std::string& input : graph.nodes[index].inputs)
            if (data.contains(input) && --reads[input] == 0) --live;
        if (live == 1) ++cuts;
    }
    return before;
}

bool is_layer(const Node& node) {
    static const Names layers{"Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"};
    return node.domain.empty() && layers.contains(node.op);
}

}  // namespace

Blocks find_blocks(const Graph& graph, const Names& trainable) {
    const Names data = data_values(graph);
    const std::vector<bool> on_way = on_the_way(graph, data);
    const std::vector<int> cuts = cuts_before(graph, data, on_way);

    // Weights may be computed from parameters, as weight standardisation does.
    Names weights = trainable;
    std::vector<bool> has_layer(cuts.empty() ? 1 : static_cast<std::size_t>(cuts.back()) + 1, false);
    for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
        const Node& node = graph.nodes[index];
        if (!any_in(node.inputs, weights)) continue;
        if (!any_in(node.outputs, data)) add_all(weights, node.outputs);
        else if (on_way[index] && is_layer(node)) has_layer[static_cast<std::size_t>(cuts[index])] = true;
    }
    Blocks blocks;
    std::vector<int> block_after;  // so many cuts
    int layers = 0;
    for (const bool layer : has_layer) {
        layers += layer ? 1 : 0;
        block_after.push_back(std::max(layers - 1, 0));
    }
    blocks.count = std::max(layers, 1);

    // What is computed from constants alone belongs to the first block that reads it.
    std::unordered_map<std::string, int> first_read;
    for (std::size_t index = graph.nodes.size(); index-- > 0;) {
        const Node& node = graph.nodes[index];
        int block = block_after[static_cast<std::size_t>(cuts[index])];
        if (!any_in(node.outputs, data)) {
            int first = blocks.count;
            for (const std::string& output : node.outputs)
                if (const auto read = first_read.find(output); read != first_read.end())
                    first = std::min(first, read->second);
            if (first < blocks.count) block = first;
        }
        for (const std::string& input : node.inputs) {
            if (input.empty() || data.contains(input)) continue;
            const auto [read, added] = first_read.emplace(input, block);
            if (!added) read->second = std::min(read->second, block);
        }
    }
    for (const auto& [name, block] : first_read)
        if (graph.initializers.contains(name)) blocks.of_constant[name] = block;
    return blocks;
}

}  // namespace ouaf::graph
