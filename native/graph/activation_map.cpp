// See activation_map.hpp.
#include "native/graph/activation_map.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "native/graph/canonicalise.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/head.hpp"

namespace ouaf::graph {
namespace {

bool is_plain(const Node& node) {
    return attribute_or<float>(node, "alpha", 1.0F) == 1.0F && attribute_or<float>(node, "beta", 1.0F) == 1.0F;
}

struct MappedHead {
    Head head;
    std::string features;
};

// Names of the canonical form are names of the graph as it is stored, too.
std::optional<MappedHead> find_mapped_head(Graph graph) {
    try {
        canonicalise(graph);
        fold_constants(graph);
        const std::vector<Head> heads = find_heads(graph);
        const std::optional<std::string> features = find_feature_map(graph);
        const bool is_matrix = heads.size() == 1 && graph.nodes[heads[0].node].op != "Conv";
        if (!features || !is_matrix || !is_plain(graph.nodes[heads[0].node])) return std::nullopt;
        return MappedHead{heads[0], *features};
    } catch (const std::runtime_error&) {
        return std::nullopt;  // no head can be told
    }
}

bool makes(const Graph& graph, const std::string& value) {
    return graph.initializers.contains(value) || producers(graph.nodes).contains(value);
}

}  // namespace

std::optional<std::string> find_feature_map(const Graph& graph) {
    const auto made_by = producers(graph.nodes);
    std::string value = find_features(graph);
    for (auto found = made_by.find(value); found != made_by.end(); found = made_by.find(value)) {
        const Node& node = graph.nodes[found->second];
        if (node.op == "GlobalAveragePool" || node.op == "ReduceMean") return node.inputs.at(0);
        const bool keeps_values =
            node.op == "Flatten" || node.op == "Reshape" || node.op == "Squeeze" || node.op == "Dropout";
        if (!keeps_values) return std::nullopt;
        value = node.inputs.at(0);
    }
    return std::nullopt;
}

bool add_activation_map(Graph& graph, const std::string& name) {
    const std::optional<MappedHead> found = find_mapped_head(graph);
    if (!found || makes(graph, name) || !makes(graph, found->features) || !makes(graph, found->head.weight))
        return false;
    const Head& head = found->head;
    std::string weight = head.weight;
    if (!head.rows_are_classes) {
        const std::string turned = unused_name(graph, name + ".rows");
        graph.nodes.push_back({"Transpose", "", turned, {weight}, {turned}, {}});
        weight = turned;
    }
    const std::array<std::int64_t, 4> filters{head.classes, head.width, 1, 1};
    const std::string shape = unused_name(graph, name + ".shape");
    graph.initializers[shape] = make_tensor({4}, std::span<const std::int64_t>(filters));
    const std::string filter = unused_name(graph, name + ".filter");
    graph.nodes.push_back({"Reshape", "", filter, {weight, shape}, {filter}, {}});
    graph.nodes.push_back({"Conv", "", name, {found->features, filter}, {name}, {}});
    const Dim batch = graph.outputs[0].has_shape ? graph.outputs[0].dims.at(0) : Dim{std::string("batch")};
    graph.outputs.push_back({name,
                             DType::float32,
                             true,
                             {batch, head.classes, std::string(name + ".height"), std::string(name + ".width")}});
    return true;
}

void remove_output(Graph& graph, const std::string& name) {
    std::erase_if(graph.outputs, [&](const Value& output) { return output.name == name; });
    for (;;) {
        const auto uses = use_counts(graph.nodes, graph.outputs);
        const auto unread = [&](const std::string& value) { return !uses.contains(value); };
        if (std::erase_if(graph.nodes, [&](const Node& node) { return std::ranges::all_of(node.outputs, unread); }) > 0)
            continue;
        std::erase_if(graph.initializers, [&](const auto& initializer) { return unread(initializer.first); });
        return;
    }
}

}  // namespace ouaf::graph
