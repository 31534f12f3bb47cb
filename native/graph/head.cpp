// See head.hpp.
#include "native/graph/head.hpp"

#include <algorithm>

namespace ouaf::graph {

namespace {

const Tensor* float_constant(const Graph& graph, const std::string& name) {
    const auto found = graph.initializers.find(name);
    return found != graph.initializers.end() && found->second.dtype == DType::float32 ? &found->second : nullptr;
}

bool is_one_by_one(const Node& node, const Tensor& weight) {
    return weight.dims.size() == 4 && weight.dims[2] == 1 && weight.dims[3] == 1 &&
           attribute_or<std::int64_t>(node, "group", 1) == 1;
}

// The head that this node is, where it is one.
std::optional<Head> head_at(const Graph& graph, std::size_t index) {
    const Node& node = graph.nodes[index];
    if (!node.domain.empty() || node.inputs.size() < 2) return std::nullopt;
    const Tensor* weight = float_constant(graph, node.inputs[1]);
    if (!weight || weight->dims.size() < 2) return std::nullopt;
    Head head;
    head.node = index;
    head.features = node.inputs[0];
    head.weight = node.inputs[1];
    if (node.op == "Gemm") {
        if (attribute_or<std::int64_t>(node, "transA", 0) != 0) return std::nullopt;
        head.rows_are_classes = attribute_or<std::int64_t>(node, "transB", 0) != 0;
    } else if (node.op == "Conv" && is_one_by_one(node, *weight)) {
        head.rows_are_classes = true;
    } else if (node.op == "MatMul" && weight->dims.size() == 2) {
        head.rows_are_classes = false;
    } else {
        return std::nullopt;
    }
    head.classes = weight->dims[head.rows_are_classes ? 0 : 1];
    head.width = weight->dims[head.rows_are_classes ? 1 : 0];
    if (node.inputs.size() > 2) head.bias = node.inputs[2];
    return head;
}

// The value through which the way back goes on, where exactly one input is not a constant.
std::optional<std::string> only_variable_input(const Graph& graph, const Node& node) {
    std::optional<std::string> only;
    for (const std::string& input : node.inputs) {
        if (input.empty() || graph.initializers.contains(input)) continue;
        if (only) return std::nullopt;
        only = input;
    }
    return only;
}

// Where a bias stands as an Add of a [classes] constant after a MatMul.
bool is_bias_add(const Graph& graph, const Node& node, const Head& head, std::string& bias) {
    if (node.op != "Add" || !node.domain.empty()) return false;
    for (const std::string& input : node.inputs)
        if (const Tensor* constant = float_constant(graph, input); constant && constant->dims == Dims{head.classes}) {
            bias = input;
            return true;
        }
    return false;
}

// Constant Reshapes after the head may spell out the number of classes.
void follow_in_reshapes(Graph& graph, std::size_t head, std::int64_t from, std::int64_t to) {
    std::unordered_set<std::string> after(graph.nodes[head].outputs.begin(), graph.nodes[head].outputs.end());
    for (std::size_t index = head + 1; index < graph.nodes.size(); ++index) {
        Node& node = graph.nodes[index];
        if (std::none_of(node.inputs.begin(), node.inputs.end(),
                         [&](const std::string& input) { return after.contains(input); }))
            continue;
        after.insert(node.outputs.begin(), node.outputs.end());
        if (node.op != "Reshape" || node.inputs.size() < 2 || !graph.initializers.contains(node.inputs[1])) continue;
        auto shape = to_int64s(graph.initializers.at(node.inputs[1]));
        std::replace(shape.begin(), shape.end(), from, to);
        // A name of its own: other Reshapes may share the constant.
        node.inputs[1] = node.outputs[0] + ".shape";
        graph.initializers[node.inputs[1]] =
            make_tensor({static_cast<std::int64_t>(shape.size())}, std::span<const std::int64_t>(shape));
    }
}

}  // namespace

Head find_head(const Graph& graph) {
    const auto made_by = producers(graph.nodes);
    const std::string hint = "; a head is the last Gemm, MatMul or 1x1 Conv with a constant float32 weight";
    std::string value = graph.outputs.at(0).name;
    std::optional<std::size_t> after;  // the node on the way that reads the head's output
    for (;;) {
        const auto producer = made_by.find(value);
        if (producer == made_by.end())
            fail(graph, "no classification head before output '" + graph.outputs[0].name + "'" + hint);
        const Node& node = graph.nodes[producer->second];
        if (auto head = head_at(graph, producer->second)) {
            std::string bias;
            if (after && node.op == "MatMul" && is_bias_add(graph, graph.nodes[*after], *head, bias)) {
                head->bias = bias;
                head->bias_node = after;
            }
            return *head;
        }
        const auto next = only_variable_input(graph, node);
        if (!next)
            fail(graph, "no classification head: the way back from the output branches at " + describe(node) + hint);
        after = producer->second;
        value = *next;
    }
}

HeadRows head_rows(const Graph& graph) {
    const Head head = find_head(graph);
    const Node& node = graph.nodes[head.node];
    const bool gemm = node.op == "Gemm";
    const float alpha = gemm ? attribute_or(node, "alpha", 1.0f) : 1.0f;
    const float beta = gemm ? attribute_or(node, "beta", 1.0f) : 1.0f;
    HeadRows rows{head.classes, head.width, {}, {}};
    const auto weight = graph.initializers.at(head.weight).values<float>();
    const auto classes = static_cast<std::size_t>(head.classes);
    const auto width = static_cast<std::size_t>(head.width);
    rows.weight.resize(classes * width);
    for (std::size_t c = 0; c < classes; ++c)
        for (std::size_t f = 0; f < width; ++f)
            rows.weight[c * width + f] = alpha * weight[head.rows_are_classes ? c * width + f : f * classes + c];
    rows.bias.assign(classes, 0.0f);
    if (!head.bias.empty()) {
        const Tensor* bias = float_constant(graph, head.bias);
        if (!bias || (bias->count() != head.classes && bias->count() != 1))
            fail(graph, "the bias '" + head.bias + "' of the head is not one float32 constant a class");
        const auto values = bias->values<float>();
        for (std::size_t c = 0; c < classes; ++c) rows.bias[c] = beta * values[values.size() == 1 ? 0 : c];
    }
    return rows;
}

void replace_head(Graph& graph, const HeadRows& rows) {
    const Head head = find_head(graph);
    if (rows.width != head.width)
        fail(graph, "the new head has " + std::to_string(rows.width) + " features a class, the network gives " +
                        std::to_string(head.width));
    if (rows.classes < 1 || static_cast<std::int64_t>(rows.weight.size()) != rows.classes * rows.width ||
        static_cast<std::int64_t>(rows.bias.size()) != rows.classes)
        fail(graph, "the new head's weight or bias does not have the size its classes and width say");

    const auto classes = static_cast<std::size_t>(rows.classes);
    const auto width = static_cast<std::size_t>(rows.width);
    std::vector<float> weight = rows.weight;
    if (!head.rows_are_classes)
        for (std::size_t c = 0; c < classes; ++c)
            for (std::size_t f = 0; f < width; ++f) weight[f * classes + c] = rows.weight[c * width + f];
    const Tensor& old = graph.initializers.at(head.weight);
    Dims dims = old.dims;
    dims[head.rows_are_classes ? 0 : 1] = rows.classes;

    // Names are kept, unless another node reads the same constant.
    const auto uses = use_counts(graph.nodes, graph.outputs);
    const auto own = [&](const std::string& name) {
        return !name.empty() && uses.at(name) == 1 ? name
                                                   : unused_name(graph, name.empty() ? head.weight + ".bias" : name);
    };
    Node& node = graph.nodes[head.node];
    node.inputs[1] = own(head.weight);
    graph.initializers[node.inputs[1]] = make_tensor(dims, std::span<const float>(weight));
    node.attributes.erase("alpha");
    node.attributes.erase("beta");

    const std::string bias = own(head.bias);
    graph.initializers[bias] = make_tensor({rows.classes}, std::span<const float>(rows.bias));
    if (head.bias_node) {
        auto& inputs = graph.nodes[*head.bias_node].inputs;
        std::replace(inputs.begin(), inputs.end(), head.bias, bias);
    } else if (node.op == "MatMul") {
        const std::string output = node.outputs[0];
        const std::string product = unused_name(graph, output + ".product");
        node.outputs[0] = product;
        Node add{"Add", "", "", {product, bias}, {output}, {}};
        graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(head.node) + 1, std::move(add));
    } else {
        node.inputs.resize(3);
        node.inputs[2] = bias;
    }
    follow_in_reshapes(graph, head.node, head.classes, rows.classes);
    for (Dim& dim : graph.outputs[0].dims)
        if (const auto* size = std::get_if<std::int64_t>(&dim); size && *size == head.classes) dim = rows.classes;
}

}  // namespace ouaf::graph
