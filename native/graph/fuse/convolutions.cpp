// Convolutions with what follows them.
#include <limits>

#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

namespace {

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
    } else if (is_standard(node, "Gelu") || (node.op == "Gelu" && node.domain == "ouaf")) {
        activation = "gelu";
        convolution.attributes["approximate"] = attribute_or<std::string>(node, "approximate", "none");
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

void fuse_convolutions(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (!is_plain_convolution(nodes[index], around.graph)) continue;
        Chain chain(pattern, nodes, index);
        chain.node.domain = "ouaf";
        chain.node.inputs.resize(4);
        if (const auto other = chain.summand()) {
            chain.node.inputs[3] = *other;
            chain.take(*chain.reader());
            // After a sum the fused kernel knows no activation but this one.
            if (const auto after = chain.reader(); after && is_standard(nodes[*after], "Relu")) {
                chain.node.attributes["activation"] = "relu";
                chain.take(*after);
            }
        } else if (const auto next = chain.reader();
                   next && absorb_activation(chain.node, nodes[*next], around.graph)) {
            chain.take(*next);
        }
        std::move(chain).merge();
    }
}

}  // namespace ouaf::graph
