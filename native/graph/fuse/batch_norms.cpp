// Batch norms in training with what follows them.
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
    if (axes.size() != 2) return false;
    for (std::int64_t& axis : axes) axis = axis < 0 ? axis + 4 : axis;
    return axes[0] + axes[1] == 5 && axes[0] * axes[1] == 6;
}

}  // namespace

void fuse_batch_norms(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    std::unordered_map<std::string, std::size_t> means;  // what is averaged -> by which node
    for (std::size_t index = 0; index < nodes.size(); ++index)
        if (is_image_mean(pattern, nodes[index])) means.emplace(nodes[index].inputs[0], index);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (pattern.is_merged(index) || !is_batch_norm(pattern, nodes[index])) continue;
        Node fused = nodes[index];
        fused.domain = "ouaf";
        fused.inputs.resize(6);
        std::size_t last = index;
        std::vector<std::size_t> others;
        const auto take = [&](std::size_t node) {
            others.push_back(last);
            last = node;
            fused.outputs = nodes[node].outputs;
        };
        const auto reader = [&] { return pattern.only_reader(fused.outputs.at(0)); };
        if (const auto sum = reader(); sum && is_standard(nodes[*sum], "Add")) {
            const auto& sides = nodes[*sum].inputs;
            const std::string& other = sides[sides[0] == fused.outputs[0] ? 1 : 0];
            const Dims* sizes = pattern.sizes(other);
            if (!pattern.constant(other) && sizes && *sizes == *pattern.sizes(fused.inputs[0])) {
                fused.inputs[5] = other;
                take(*sum);
            }
        }
        if (const auto after = reader()) {
            const Node& activation = nodes[*after];
            // A SiLU's slope needs what went in, which after a sum nobody keeps.
            const bool silu = activation.op == "Silu" && activation.domain == "ouaf" && fused.inputs[5].empty();
            if (silu || is_standard(activation, "Relu")) {
                fused.attributes["activation"] = std::string(silu ? "silu" : "relu");
                take(*after);
            }
        }
        const auto mean = means.find(fused.outputs[0]);
        if (mean != means.end() && !pattern.is_merged(mean->second)) {
            fused.outputs.push_back(nodes[mean->second].outputs.at(0));
            others.push_back(mean->second);
        }
        if (!others.empty()) pattern.merge(last, std::move(fused), others);
    }
}

}  // namespace ouaf::graph
