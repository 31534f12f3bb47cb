// See value_types.hpp.
#include "native/graph/value_types.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>

#include "native/graph/op_table.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

// Constants up to here may be sizes, axes or bounds, which operators read while they run.
constexpr std::int64_t most_read_elements = 64;

at::Tensor as_meta(at::IntArrayRef sizes, at::ScalarType type) {
    return at::empty(sizes, at::TensorOptions().dtype(type).device(at::kMeta));
}

at::Tensor of_constant(const Tensor& constant) {
    if (is_weight(constant) || constant.count() > most_read_elements)
        return as_meta(constant.dims, scalar_type(constant.dtype));
    return to_torch(constant);
}

}  // namespace

ValueTypes value_types(const Graph& graph, std::span<const at::Tensor> inputs) {
    const at::NoGradGuard no_gradients;
    std::unordered_map<std::string, at::Tensor> known;
    for (std::size_t i = 0; i < graph.inputs.size() && i < inputs.size(); ++i)
        known[graph.inputs[i].name] = as_meta(inputs[i].sizes(), inputs[i].scalar_type());
    for (const auto& [name, constant] : graph.initializers) known[name] = of_constant(constant);

    const std::int64_t opset = standard_opset(graph);
    for (const Node& node : graph.nodes) {
        const Op* op = find_op(node.domain, node.op, opset);
        if (!op || std::any_of(node.inputs.begin(), node.inputs.end(),
                               [&](const std::string& name) { return !name.empty() && !known.contains(name); }))
            continue;
        std::vector<at::Tensor> given;
        for (const std::string& name : node.inputs) given.push_back(name.empty() ? at::Tensor() : known.at(name));
        std::vector<at::Tensor> made(node.outputs.size());
        Run run{.inputs = given, .outputs = made, .gradients = true};
        try {
            op->build(Build{graph, node, opset})(run);
        } catch (const std::exception&) {
            continue;  // it needs elements, or it will say what is wrong when it runs
        }
        for (std::size_t i = 0; i < made.size(); ++i)
            if (!node.outputs[i].empty() && made[i].defined()) known[node.outputs[i]] = made[i];
    }
    ValueTypes types;
    for (const auto& [name, tensor] : known) types[name] = {tensor.sizes().vec(), tensor.scalar_type()};
    return types;
}

}  // namespace ouaf::graph
