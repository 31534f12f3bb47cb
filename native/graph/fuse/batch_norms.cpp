// Batch norms in training with what follows them.
#include <algorithm>

#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

namespace {

bool is_batch_norm(const Pattern& pattern, const Node& node) {
    if (!is_standard(node, "BatchNormalization") || node.inputs.size() != 5 || node.outputs.size() != 1) return false;
    const Dims* sizes = pattern.sizes(node.inputs[0]);
    if (!sizes || sizes->size() != 4 || attribute_or<std::int64_t>(node, "training_mode", 0) != 0) return false;
    for (std::size_t i = 1; i < 5; ++i)
        if (!pattern.constant(node.inputs[i])) return false;
    return true;
}

// Whether the node is the mean over height and width of images, which stay as axes of one.
bool is_image_mean(const Pattern& pattern, const Node& node) {
    if (is_standard(node, "GlobalAveragePool")) return true;
    if (!is_standard(node, "ReduceMean") || attribute_or<std::int64_t>(node, "keepdims", 1) != 1) return false;
    auto axes = attribute_or<std::vector<std::int64_t>>(node, "axes", {});
    if (const Tensor* given = node.inputs.size() > 1 ? pattern.constant(node.inputs[1]) : nullptr)
        axes = to_int64s(*given);
    for (std::int64_t& axis : axes) axis = axis < 0 ? axis + 4 : axis;
    std::ranges::sort(axes);
    return axes == std::vector<std::int64_t>{2, 3};
}

}  // namespace

void fuse_batch_norms(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    std::unordered_map<std::string, std::size_t> means;  // what is averaged -> by which node
    for (std::size_t index = 0; index < nodes.size(); ++index)
        if (is_image_mean(pattern, nodes[index])) means.emplace(nodes[index].inputs[0], index);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (pattern.is_merged(index) || !is_batch_norm(pattern, nodes[index])) continue;
        Chain chain(pattern, nodes, index);
        Node& fused = chain.node;
        fused.domain = "ouaf";
        fused.inputs.resize(6);
        if (const auto other = chain.summand()) {
            const Dims* sizes = pattern.sizes(*other);
            if (sizes && *sizes == *pattern.sizes(fused.inputs[0])) {
                fused.inputs[5] = *other;
                chain.take(*chain.reader());
            }
        }
        if (const auto after = chain.reader()) {
            const Node& activation = nodes[*after];
            // A SiLU's slope needs what went in, which after a sum nobody keeps.
            const bool silu = activation.op == "Silu" && activation.domain == "ouaf" && fused.inputs[5].empty();
            if (silu || is_standard(activation, "Relu")) {
                fused.attributes["activation"] = std::string(silu ? "silu" : "relu");
                chain.take(*after);
            }
        }
        const auto mean = means.find(fused.outputs[0]);
        if (mean != means.end() && !pattern.is_merged(mean->second)) chain.take_beside(mean->second);
        if (chain.has_grown()) std::move(chain).merge();
    }
}

}  // namespace ouaf::graph
