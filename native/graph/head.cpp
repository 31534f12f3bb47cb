// See head.hpp.
#include "native/graph/head.hpp"

#include <algorithm>
#include <cmath>

#include "native/graph/random.hpp"

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

using Names = std::unordered_set<std::string>;

// The values that depend on the graph's inputs; exporters compute sizes and axes from constants.
Names varying_values(const Graph& graph) {
    Names varying;
    for (const Value& input : graph.inputs) varying.insert(input.name);
    for (const Node& node : graph.nodes)
        if (std::any_of(node.inputs.begin(), node.inputs.end(),
                        [&](const std::string& input) { return varying.contains(input); }))
            varying.insert(node.outputs.begin(), node.outputs.end());
    varying.erase("");
    return varying;
}

std::vector<std::string> varying_inputs(const Node& node, const Names& varying) {
    std::vector<std::string> inputs;
    for (const std::string& input : node.inputs)
        if (varying.contains(input)) inputs.push_back(input);
    return inputs;
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

// The way back from a value to the heads that it comes from.
struct WayBack {
    const Graph& graph;
    std::unordered_map<std::string, std::size_t> made_by;
    Names varying;
    std::vector<Head> heads{};

    [[noreturn]] void refuse(const std::string& what) const {
        fail(graph, "no classification head" + what +
                        "; a head is the last Gemm, MatMul or 1x1 Conv with a constant float32 weight");
    }

    // Sums are passed where the node that reads them scales by a constant: an average of heads, as networks that
    // were trained by distillation give it.
    bool averages(const Node& node, std::optional<std::size_t> after) const {
        if (!node.domain.empty()) return false;
        if (node.op == "Mean") return true;
        if (node.op != "Add" && node.op != "Sum") return false;
        if (!after) return false;
        const Node& reader = graph.nodes[*after];
        if (reader.op == "Add" || reader.op == "Sum") return varying_inputs(reader, varying).size() > 1;
        return (reader.op == "Div" || reader.op == "Mul") && varying_inputs(reader, varying).size() == 1;
    }

    // after: the node on the way that reads the value.
    void follow(std::string value, std::optional<std::size_t> after) {
        for (;;) {
            const auto producer = made_by.find(value);
            if (producer == made_by.end()) refuse(" before output '" + graph.outputs[0].name + "'");
            const Node& node = graph.nodes[producer->second];
            if (auto head = head_at(graph, producer->second)) {
                std::string bias;
                if (after && node.op == "MatMul" && is_bias_add(graph, graph.nodes[*after], *head, bias)) {
                    head->bias = bias;
                    head->bias_node = after;
                }
                heads.push_back(*head);
                return;
            }
            const auto next = varying_inputs(node, varying);
            if (next.size() > 1 && averages(node, after)) {
                for (const std::string& each : next) follow(each, producer->second);
                return;
            }
            if (next.size() != 1) refuse(": the way back from the output branches at " + describe(node));
            after = producer->second;
            value = next[0];
        }
    }
};

HeadRows rows_of(const Graph& graph, const Head& head) {
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

void replace(Graph& graph, const Head& head, const HeadRows& rows) {
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
}

}  // namespace

std::vector<Head> find_heads(const Graph& graph) {
    WayBack way{graph, producers(graph.nodes), varying_values(graph)};
    way.follow(graph.outputs.at(0).name, std::nullopt);
    return way.heads;
}

Head find_head(const Graph& graph) {
    const auto heads = find_heads(graph);
    if (heads.size() > 1)
        fail(graph, "averages " + std::to_string(heads.size()) + " heads, '" + heads[0].weight + "' and '" +
                        heads[1].weight + "', where one is needed; export the network without its other heads");
    return heads[0];
}

std::string find_features(const Graph& graph) {
    const auto heads = find_heads(graph);
    for (const Head& head : heads)
        if (head.features != heads[0].features) return find_head(graph).features;  // says why not
    return heads[0].features;
}

HeadRows head_rows(const Graph& graph) {
    find_features(graph);
    const auto heads = find_heads(graph);
    HeadRows rows = rows_of(graph, heads[0]);
    const auto share = 1.0f / static_cast<float>(heads.size());
    for (std::size_t i = 1; i < heads.size(); ++i) {
        const HeadRows other = rows_of(graph, heads[i]);
        for (std::size_t k = 0; k < rows.weight.size(); ++k) rows.weight[k] += other.weight[k];
        for (std::size_t k = 0; k < rows.bias.size(); ++k) rows.bias[k] += other.bias[k];
    }
    if (heads.size() > 1) {
        for (float& value : rows.weight) value *= share;
        for (float& value : rows.bias) value *= share;
    }
    return rows;
}

HeadRows fresh_rows(std::int64_t classes, std::int64_t width, std::uint64_t seed) {
    HeadRows rows{classes, width, {}, {}};
    const double bound = 1 / std::sqrt(static_cast<double>(width));
    const auto fill = [&](std::vector<float>& values, std::int64_t count, std::string_view name) {
        Random random(seed, name);
        values.resize(static_cast<std::size_t>(count));
        for (float& value : values) value = static_cast<float>(bound * (2 * random.uniform() - 1));
    };
    fill(rows.weight, element_count({classes, width}), "head.weight");
    fill(rows.bias, classes, "head.bias");
    return rows;
}

void replace_head(Graph& graph, const HeadRows& rows) {
    const auto heads = find_heads(graph);
    for (std::size_t i = 0; i < heads.size(); ++i) replace(graph, find_heads(graph)[i], rows);
    for (Dim& dim : graph.outputs[0].dims)
        if (const auto* size = std::get_if<std::int64_t>(&dim); size && *size == heads[0].classes) dim = rows.classes;
}

}  // namespace ouaf::graph
