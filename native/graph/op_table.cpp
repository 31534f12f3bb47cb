// Looking operators up, and what rows share while building.
#include "native/graph/op_table.hpp"

#include <array>

namespace ouaf::graph {

const Op* find_op(std::string_view domain, std::string_view name, std::int64_t opset) {
    static const std::array themes{convolution_ops(), linear_ops(), activation_ops(),    elementwise_ops(),
                                   unary_ops(),       logic_ops(),  pooling_ops(),       normalisation_ops(),
                                   shape_ops(),       index_ops(),  generator_ops(),     reduction_ops(),
                                   ordering_ops(),    resize_ops(), attention_ops(),     recurrent_ops(),
                                   loss_ops(),        fused_ops(),  fused_training_ops()};
    for (const auto& theme : themes)
        for (const Op& op : theme)
            if (op.name == name && op.domain == domain && op.since <= opset && opset <= op.until) return &op;
    return nullptr;
}

const Tensor* Build::constant(std::size_t i) const {
    if (!has_input(i)) return nullptr;
    const auto found = graph.initializers.find(node.inputs[i]);
    return found == graph.initializers.end() ? nullptr : &found->second;
}

void Build::fail(const std::string& what) const { graph::fail(graph, describe(node) + ": " + what); }

void Build::unsupported(const std::string& what) const {
    throw Unsupported(graph.source + ": " + describe(node) + ": " + what);
}

}  // namespace ouaf::graph
