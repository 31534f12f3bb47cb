// See head_rewrites.hpp.
#include "native/graph/head_rewrites.hpp"

#include <algorithm>
#include <optional>

#include "native/graph/canonicalise.hpp"
#include "native/graph/head.hpp"

namespace ouaf::graph {

namespace {

bool is_standard(const Node& node, std::initializer_list<const char*> ops) {
    return node.domain.empty() && std::any_of(ops.begin(), ops.end(), [&](const char* op) { return node.op == op; });
}

// The Dropout that makes the features, with nothing but a change of shape in between.
std::optional<std::size_t> dropout_before(const Graph& graph, std::string value) {
    const auto made_by = producers(graph.nodes);
    for (;;) {
        const auto producer = made_by.find(value);
        if (producer == made_by.end()) return std::nullopt;
        const Node& node = graph.nodes[producer->second];
        if (is_standard(node, {"Dropout"})) return producer->second;
        if (!is_standard(node, {"Flatten", "Reshape", "Squeeze", "Identity"})) return std::nullopt;
        value = node.inputs[0];
    }
}

void set_ratio(Graph& graph, Node& node, float ratio) {
    if (standard_opset(graph) < 12) {
        node.attributes["ratio"] = ratio;
        return;
    }
    const std::string name = unused_name(graph, node.outputs[0] + ".ratio");
    graph.initializers[name] = make_tensor({}, std::span<const float>(&ratio, 1));
    node.inputs.resize(std::max<std::size_t>(node.inputs.size(), 2));
    node.inputs[1] = name;
}

void take_out(Graph& graph, std::size_t index) {
    const std::string output = graph.nodes[index].outputs[0];
    const std::string input = graph.nodes[index].inputs[0];
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), output, input);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
}

// Nodes that nothing on the way to an output reads go.
void drop_unread_nodes(Graph& graph) {
    std::unordered_set<std::string> read;
    for (const Value& output : graph.outputs) read.insert(output.name);
    std::vector<Node> kept;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        if (std::none_of(node->outputs.begin(), node->outputs.end(),
                         [&](const std::string& output) { return read.contains(output); }))
            continue;
        for (const std::string& input : node->inputs)
            if (!input.empty()) read.insert(input);
        kept.push_back(std::move(*node));
    }
    std::reverse(kept.begin(), kept.end());
    graph.nodes = std::move(kept);
}

}  // namespace

void insert_dropout(Graph& graph, float ratio) {
    if (!(ratio >= 0 && ratio < 1))
        fail(graph, "a dropout of " + std::to_string(ratio) + " can't be put in; its ratio is from 0 to below 1");
    std::unordered_set<std::string> done;
    for (const Head& head : find_heads(graph)) {
        const std::string features = head.features;
        if (!done.insert(features).second) continue;
        const auto present = dropout_before(graph, features);
        if (present && ratio == 0) {
            take_out(graph, *present);
        } else if (present) {
            set_ratio(graph, graph.nodes[*present], ratio);
        } else if (ratio > 0) {
            Node dropout{"Dropout", "", "", {features}, {unused_name(graph, features + ".dropout")}, {}};
            set_ratio(graph, dropout, ratio);
            const auto heads = find_heads(graph);
            std::size_t place = graph.nodes.size();
            for (const Head& each : heads) {
                if (each.features != features) continue;
                graph.nodes[each.node].inputs[0] = dropout.outputs[0];
                place = std::min(place, each.node);
            }
            graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(place), std::move(dropout));
        }
    }
    canonicalise(graph);  // a ratio that nothing reads any longer goes
}

Graph cut_head(Graph graph) {
    std::string features = find_features(graph);
    const Head head = find_heads(graph)[0];
    if (const auto dropout = dropout_before(graph, features)) {
        const std::string output = graph.nodes[*dropout].outputs[0];
        if (output == features) features = graph.nodes[*dropout].inputs[0];
        take_out(graph, *dropout);
    }
    if (is_standard(graph.nodes[find_heads(graph)[0].node], {"Conv"})) {
        const std::string mean = unused_name(graph, features + ".mean");
        const std::string flat = unused_name(graph, features + ".flat");
        graph.nodes.push_back({"GlobalAveragePool", "", "", {features}, {mean}, {}});
        graph.nodes.push_back({"Flatten", "", "", {mean}, {flat}, {}});
        features = flat;
    }
    const Value& input = graph.inputs.at(0);
    const Dim batch = input.has_shape && !input.dims.empty() ? input.dims[0] : Dim(std::string("batch"));
    graph.outputs = {Value{features, DType::float32, true, {batch, head.width}}};
    drop_unread_nodes(graph);
    canonicalise(graph);
    return graph;
}

}  // namespace ouaf::graph
