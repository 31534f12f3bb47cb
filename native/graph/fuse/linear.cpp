// Products with a constant matrix.
#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

namespace {

bool swaps_two_axes(const Node& transpose) {
    const auto order = attribute_or<std::vector<std::int64_t>>(transpose, "perm", {1, 0});
    return order == std::vector<std::int64_t>{1, 0};
}

void match(Pattern& pattern, std::vector<Node>& nodes, std::size_t index) {
    if (!is_standard(nodes[index], "MatMul") || nodes[index].inputs.size() != 2) return;
    std::string weight = nodes[index].inputs[1];
    bool rows_are_outputs = false;
    std::vector<std::size_t> others;
    if (const auto transpose = pattern.made_by(weight, "Transpose"); transpose && swaps_two_axes(nodes[*transpose])) {
        if (pattern.inner(weight, "Transpose")) others.push_back(*transpose);
        weight = nodes[*transpose].inputs.at(0);
        rows_are_outputs = true;
    }
    const Tensor* matrix = pattern.constant(weight);
    if (!matrix || matrix->dims.size() != 2 || matrix->dtype != DType::float32) return;
    const std::int64_t outputs = matrix->dims[rows_are_outputs ? 0 : 1];

    Node linear{"Linear", "ouaf", nodes[index].name, {nodes[index].inputs[0], weight, ""}, nodes[index].outputs, {}};
    linear.attributes["rows_are_outputs"] = std::int64_t{rows_are_outputs};
    std::size_t last = index;
    if (const auto sum = pattern.only_reader(linear.outputs.at(0)); sum && is_standard(nodes[*sum], "Add")) {
        const auto& sides = nodes[*sum].inputs;
        const std::string& bias = sides.at(sides.at(0) == linear.outputs[0] ? 1 : 0);
        const Tensor* values = pattern.constant(bias);
        if (values && values->dtype == DType::float32 && values->dims == Dims{outputs}) {
            linear.inputs[2] = bias;
            linear.outputs = nodes[*sum].outputs;
            others.push_back(index);
            last = *sum;
        }
    }
    if (!rows_are_outputs && last == index) return;  // a plain MatMul does as well
    pattern.merge(last, std::move(linear), others);
}

}  // namespace

void fuse_linear(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    for (std::size_t index = 0; index < nodes.size(); ++index)
        if (!pattern.is_merged(index)) match(pattern, nodes, index);
}

}  // namespace ouaf::graph
