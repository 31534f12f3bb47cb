// See sequences.hpp.
#include "native/graph/sequences.hpp"

#include <optional>

namespace ouaf::graph {

namespace {

std::optional<std::vector<std::int64_t>> integers(const Graph& graph, const std::string& name) {
    const auto found = graph.initializers.find(name);
    if (found == graph.initializers.end() || is_floating(found->second.dtype)) return std::nullopt;
    return to_int64s(found->second);
}

struct Part {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

// The part of the split axis that is the sequence's element `position`.
std::optional<Part> part_at(const Graph& graph, const Node& split, std::int64_t position) {
    if (split.inputs.size() < 2 || split.inputs[1].empty()) return Part{position, position + 1};
    const auto sizes = integers(graph, split.inputs[1]);
    if (!sizes) return std::nullopt;
    if (graph.initializers.at(split.inputs[1]).dims.empty())  // one size for all; the last part may be shorter
        return Part{position * (*sizes)[0], (position + 1) * (*sizes)[0]};
    if (position >= static_cast<std::int64_t>(sizes->size())) return std::nullopt;
    Part part;
    for (std::int64_t i = 0; i <= position; ++i) {
        part.begin = part.end;
        part.end += (*sizes)[static_cast<std::size_t>(i)];
    }
    return part;
}

// The node that gives the element of the sequence; its constants go into the graph.
std::optional<Node> element(Graph& graph, const Node& at, const Node& split) {
    const auto position = integers(graph, at.inputs.at(1));
    constexpr std::int64_t most = 1 << 20;
    if (!position || position->size() != 1 || (*position)[0] < 0 || (*position)[0] > most) return std::nullopt;
    const auto part = part_at(graph, split, (*position)[0]);
    if (!part) return std::nullopt;
    const auto axis = attribute_or<std::int64_t>(split, "axis", 0);
    const auto constant = [&](const char* what, const Dims& dims, std::int64_t value) {
        std::string name = unused_name(graph, at.outputs.at(0) + "." + what);
        graph.initializers[name] = make_tensor(dims, std::span<const std::int64_t>(&value, 1));
        return name;
    };
    const bool whole = split.inputs.size() < 2 || split.inputs[1].empty();
    if (whole && attribute_or<std::int64_t>(split, "keepdims", 1) == 0)
        return Node{"Gather",        "", at.name, {split.inputs.at(0), constant("index", {}, part->begin)}, at.outputs,
                    {{"axis", axis}}};
    return Node{"Slice",
                "",
                at.name,
                {split.inputs.at(0), constant("begin", {1}, part->begin), constant("end", {1}, part->end),
                 constant("axis", {1}, axis)},
                at.outputs,
                {}};
}

}  // namespace

void take_sequences_apart(Graph& graph) {
    const auto made_by = producers(graph.nodes);
    bool changed = false;
    for (Node& node : graph.nodes) {
        if (node.op != "SequenceAt" || !node.domain.empty()) continue;
        const auto producer = made_by.find(node.inputs.at(0));
        if (producer == made_by.end() || graph.nodes[producer->second].op != "SplitToSequence") continue;
        if (auto taken = element(graph, node, graph.nodes[producer->second])) {
            node = std::move(*taken);
            changed = true;
        }
    }
    if (!changed) return;
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.nodes, [&](const Node& node) {
        return node.op == "SplitToSequence" && node.domain.empty() && !uses.contains(node.outputs.at(0));
    });
}

}  // namespace ouaf::graph
