// See transposes.hpp.
#include "native/graph/transposes.hpp"

#include <algorithm>
#include <numeric>

namespace ouaf::graph {

namespace {

using Permutation = std::vector<std::int64_t>;

// nullptr where the node is none, or reverses axes of a number that is not said.
const Permutation* permutation_of(const Node& node) {
    if (node.op != "Transpose" || !node.domain.empty()) return nullptr;
    const auto* axes = find_attribute<Permutation>(node, "perm");
    if (!axes) return nullptr;
    Permutation sorted = *axes;
    std::sort(sorted.begin(), sorted.end());
    Permutation identity(sorted.size());
    std::iota(identity.begin(), identity.end(), 0);
    return sorted == identity ? axes : nullptr;
}

}  // namespace

void merge_transposes(Graph& graph) {
    const auto made_by = producers(graph.nodes);
    bool changed = false;
    for (Node& node : graph.nodes) {
        const Permutation* second = permutation_of(node);
        if (!second) continue;
        Permutation composed = *second;
        const auto before = made_by.find(node.inputs.at(0));
        const Permutation* first = before == made_by.end() ? nullptr : permutation_of(graph.nodes[before->second]);
        if (first && first->size() == composed.size()) {
            for (std::int64_t& axis : composed) axis = (*first)[static_cast<std::size_t>(axis)];
            node.inputs[0] = graph.nodes[before->second].inputs[0];
            node.attributes["perm"] = composed;
            changed = true;
        }
        if (!std::is_sorted(composed.begin(), composed.end())) continue;
        node.op = "Identity";
        node.attributes.clear();
        changed = true;
    }
    if (!changed) return;
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.nodes,
                  [&](const Node& node) { return permutation_of(node) && !uses.contains(node.outputs.at(0)); });
}

}  // namespace ouaf::graph
