// See fuse.hpp.
#include "native/graph/fuse.hpp"

#include <limits>
#include <optional>

namespace ouaf::graph {

namespace {

// Nodes marked as merged into another; removed together at the end so that indices stay valid meanwhile.
void remove_merged(std::vector<Node>& nodes, const std::vector<bool>& merged) {
    std::size_t next = 0;
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (merged[index]) continue;
        if (next != index) nodes[next] = std::move(nodes[index]);
        ++next;
    }
    nodes.resize(next);
}

// For each value that exactly one node input reads and nobody else needs: that node.
std::unordered_map<std::string, std::size_t> only_readers(const std::vector<Node>& nodes, const Kept& kept) {
    const auto uses = use_counts(nodes, {});
    std::unordered_map<std::string, std::size_t> readers;
    for (std::size_t index = 0; index < nodes.size(); ++index)
        for (const std::string& input : nodes[index].inputs)
            if (!input.empty() && uses.at(input) == 1 && !kept.contains(input)) readers.emplace(input, index);
    return readers;
}

bool is_standard(const Node& node, const char* op) { return node.op == op && node.domain.empty(); }

std::optional<float> bound(const Graph& graph, const Node& clip, const char* attribute, std::size_t input,
                           float fallback) {
    if (const auto* value = find_attribute<float>(clip, attribute)) return *value;
    if (input >= clip.inputs.size() || clip.inputs[input].empty()) return fallback;
    const auto constant = graph.initializers.find(clip.inputs[input]);
    if (constant == graph.initializers.end() || constant->second.count() != 1) return std::nullopt;
    return to_floats(constant->second)[0];
}

// Writes the activation that `node` is into the convolution's attributes; false where it is none of ours.
bool absorb_activation(Node& convolution, const Node& node, const Graph& graph) {
    std::string activation;
    if (node.op == "Silu" && node.domain == "ouaf") {
        activation = "swish";
    } else if (is_standard(node, "Sigmoid")) {
        activation = "sigmoid";
    } else if (is_standard(node, "Relu")) {
        activation = "relu";
    } else if (is_standard(node, "HardSwish")) {
        activation = "hardswish";
    } else if (is_standard(node, "Clip")) {
        constexpr float most = std::numeric_limits<float>::max();
        const auto low = bound(graph, node, "min", 1, -most);
        const auto high = bound(graph, node, "max", 2, most);
        if (!low || !high) return false;
        activation = "hardtanh";
        convolution.attributes["low"] = *low;
        convolution.attributes["high"] = *high;
    } else {
        return false;
    }
    convolution.attributes["activation"] = activation;
    return true;
}

bool is_plain_convolution(const Node& node, const Graph& graph) {
    if (!is_standard(node, "Conv") || node.inputs.size() < 2) return false;
    const auto weight = graph.initializers.find(node.inputs[1]);
    if (weight == graph.initializers.end() || weight->second.dims.size() != 4) return false;
    return node.inputs.size() < 3 || node.inputs[2].empty() || graph.initializers.contains(node.inputs[2]);
}

}  // namespace

void fuse_silu(std::vector<Node>& nodes, const Kept& kept) {
    const auto made_by = producers(nodes);
    const auto readers = only_readers(nodes, kept);
    std::vector<bool> merged(nodes.size(), false);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        Node& product = nodes[index];
        if (!is_standard(product, "Mul") || product.inputs.size() != 2) continue;
        for (std::size_t side = 0; side < 2; ++side) {
            const auto gate = made_by.find(product.inputs[side]);
            const std::string x = product.inputs[1 - side];
            if (gate == made_by.end() || !is_standard(nodes[gate->second], "Sigmoid") ||
                nodes[gate->second].inputs.at(0) != x || !readers.contains(product.inputs[side]))
                continue;
            merged[gate->second] = true;
            product = Node{"Silu", "ouaf", product.name, {x}, product.outputs, {}};
            break;
        }
    }
    remove_merged(nodes, merged);
}

void fuse_convolutions(std::vector<Node>& nodes, const Graph& graph, const Kept& kept) {
    const auto readers = only_readers(nodes, kept);
    std::vector<bool> merged(nodes.size(), false);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (!is_plain_convolution(nodes[index], graph)) continue;
        Node convolution = nodes[index];
        convolution.domain = "ouaf";
        convolution.inputs.resize(4);
        std::size_t last = index;  // the node whose place the merged one takes: its inputs are all made by then
        const auto reader = [&]() -> std::optional<std::size_t> {
            const auto found = readers.find(convolution.outputs.at(0));
            if (found == readers.end() || merged[found->second]) return std::nullopt;
            return found->second;
        };
        const auto take = [&](std::size_t node) {
            merged[last] = true;
            last = node;
            convolution.outputs = nodes[node].outputs;
        };
        if (const auto next = reader()) {
            if (absorb_activation(convolution, nodes[*next], graph)) {
                take(*next);
            } else if (is_standard(nodes[*next], "Add")) {
                const auto& sides = nodes[*next].inputs;
                const std::string& other = sides[sides[0] == convolution.outputs[0] ? 1 : 0];
                if (!graph.initializers.contains(other)) {
                    convolution.inputs[3] = other;
                    take(*next);
                    // After a sum the fused kernel knows no activation but this one.
                    if (const auto after = reader(); after && is_standard(nodes[*after], "Relu")) {
                        convolution.attributes["activation"] = "relu";
                        take(*after);
                    }
                }
            }
        }
        nodes[last] = std::move(convolution);
    }
    remove_merged(nodes, merged);
}

}  // namespace ouaf::graph
