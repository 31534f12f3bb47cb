// See opset.hpp. Reads the schemas of the onnx library, which come with protobuf: no torch header here.
#include "native/graph/opset.hpp"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <array>
#include <optional>

namespace ouaf::graph {

namespace {

// From opset `since` on, the attribute is an input.
struct Moved {
    std::string_view op;
    int since;
    const char* attribute;
    std::size_t input;
};
constexpr std::array moved_attributes{
    Moved{"Slice", 10, "starts", 1},
    Moved{"Slice", 10, "ends", 2},
    Moved{"Slice", 10, "axes", 3},
    Moved{"TopK", 10, "k", 1},
    Moved{"Clip", 11, "min", 1},
    Moved{"Clip", 11, "max", 2},
    Moved{"Pad", 11, "pads", 1},
    Moved{"Pad", 11, "value", 2},
    Moved{"Squeeze", 13, "axes", 1},
    Moved{"Unsqueeze", 13, "axes", 1},
    Moved{"ReduceSum", 13, "axes", 1},
    Moved{"Split", 13, "split", 1},
    Moved{"ReduceL1", 18, "axes", 1},
    Moved{"ReduceL2", 18, "axes", 1},
    Moved{"ReduceLogSum", 18, "axes", 1},
    Moved{"ReduceLogSumExp", 18, "axes", 1},
    Moved{"ReduceMax", 18, "axes", 1},
    Moved{"ReduceMean", 18, "axes", 1},
    Moved{"ReduceMin", 18, "axes", 1},
    Moved{"ReduceProd", 18, "axes", 1},
    Moved{"ReduceSumSquare", 18, "axes", 1},
};

// Versions that mean something else though their schemas look alike.
bool changes_meaning(const Node& node, int since, bool up) {
    const auto mode = attribute_or<std::string>(node, node.op == "Pad" ? "mode" : "coordinate_transformation_mode", "");
    // Before 13 everything from the axis on was one vector; the last axis is that either way.
    if (since == 13 && (node.op == "Softmax" || node.op == "LogSoftmax" || node.op == "Hardmax"))
        return attribute_or<std::int64_t>(node, "axis", 1) != -1;
    if (since == 21 && node.op == "GroupNormalization") return true;  // a scale a group, then a channel
    if (since == 19 && node.op == "Pad") return !up && mode == "wrap";
    if (since == 19 && node.op == "Resize") return !up && mode == "half_pixel_symmetric";
    return since == 11 && node.op == "Resize";
}

const onnx::OpSchema* schema_of(const std::string& op, std::int64_t opset) {
    const auto* schema = onnx::OpSchemaRegistry::Schema(op, static_cast<int>(opset), "");
    return schema && !schema->deprecated() ? schema : nullptr;
}

std::optional<Attribute> default_of(const onnx::OpSchema& schema, const std::string& name) {
    const auto found = schema.attributes().find(name);
    if (found == schema.attributes().end()) return std::nullopt;
    const onnx::AttributeProto& value = found->second.default_value;
    switch (value.type()) {
        case onnx::AttributeProto::INT: return value.i();
        case onnx::AttributeProto::FLOAT: return value.f();
        case onnx::AttributeProto::STRING: return value.s();
        default: return std::nullopt;
    }
}

bool same(const std::optional<Attribute>& a, const std::optional<Attribute>& b) {
    if (!a || !b || a->index() != b->index()) return !a && !b;
    return std::visit(
        [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, Tensor>) return false;
            else return value == std::get<T>(*b);
        },
        *a);
}

struct Mover {
    Graph& graph;
    std::map<std::string, Tensor> added;  // constants that were attributes

    bool attribute_to_input(Node& node, const Moved& moved);
    bool input_to_attribute(Node& node, const Moved& moved) const;
    bool step(Node& node, const onnx::OpSchema& from, const onnx::OpSchema& to);
    bool move(Node& node, std::int64_t from, std::int64_t to);
};

bool Mover::attribute_to_input(Node& node, const Moved& moved) {
    const auto found = node.attributes.find(moved.attribute);
    if (found == node.attributes.end()) return true;
    Tensor value;
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&found->second))
        value = make_tensor({static_cast<std::int64_t>(integers->size())}, std::span<const std::int64_t>(*integers));
    else if (const auto* integer = std::get_if<std::int64_t>(&found->second))
        value = make_tensor({1}, std::span(integer, 1));
    else if (const auto* real = std::get_if<float>(&found->second)) value = make_tensor({}, std::span(real, 1));
    else return false;
    const std::string name = unused_name(graph, node.outputs.at(0) + "." + moved.attribute);
    node.inputs.resize(std::max(node.inputs.size(), moved.input + 1));
    node.inputs[moved.input] = name;
    node.attributes.erase(found);
    added[name] = std::move(value);
    return true;
}

bool Mover::input_to_attribute(Node& node, const Moved& moved) const {
    if (node.inputs.size() <= moved.input) return true;
    const std::string name = std::exchange(node.inputs[moved.input], "");
    while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
    if (name.empty()) return true;
    const auto constant = graph.initializers.find(name);
    if (constant == graph.initializers.end() || is_floating(constant->second.dtype)) return false;
    node.attributes[moved.attribute] = to_int64s(constant->second);
    node.attributes.erase("noop_with_empty_axes");  // there are axes
    return !std::get<std::vector<std::int64_t>>(node.attributes[moved.attribute]).empty();
}

// Between neighbouring versions of one operator.
bool Mover::step(Node& node, const onnx::OpSchema& from, const onnx::OpSchema& to) {
    const bool up = to.since_version() > from.since_version();
    const int changed_in = std::max(from.since_version(), to.since_version());
    if (changes_meaning(node, changed_in, up)) return false;
    std::size_t moved_inputs = 0;
    for (const Moved& moved : moved_attributes) {
        if (moved.op != node.op || moved.since != changed_in) continue;
        if (!(up ? attribute_to_input(node, moved) : input_to_attribute(node, moved))) return false;
        ++moved_inputs;
    }
    // From 18 on the number of parts has to be said where their sizes are not.
    if (up && changed_in == 18 && node.op == "Split" && node.inputs.size() < 2)
        node.attributes["num_outputs"] = static_cast<std::int64_t>(node.outputs.size());

    std::erase_if(node.attributes, [&](const auto& entry) {
        return !to.attributes().contains(entry.first) && same(entry.second, default_of(from, entry.first));
    });
    for (const auto& [name, value] : node.attributes)
        if (!to.attributes().contains(name)) return false;
    for (const auto& [name, description] : to.attributes()) {
        if (node.attributes.contains(name)) continue;
        if (description.required) return false;
        if (from.attributes().contains(name) && !same(default_of(from, name), default_of(to, name))) return false;
    }
    // What the further inputs mean has changed where their names have; a batch norm's only got longer ones.
    const std::size_t given = node.inputs.size();
    if (given < static_cast<std::size_t>(to.min_input()) || given > static_cast<std::size_t>(to.max_input()))
        return false;
    if (moved_inputs > 0 || node.op == "BatchNormalization") return true;
    for (std::size_t i = 0; i < std::min({given, from.inputs().size(), to.inputs().size()}); ++i)
        if (from.inputs()[i].GetName() != to.inputs()[i].GetName()) return false;
    return true;
}

bool Mover::move(Node& node, std::int64_t from, std::int64_t to) {
    if (!node.domain.empty()) return true;
    const onnx::OpSchema* at = schema_of(node.op, from);
    if (!at) return false;
    for (std::int64_t opset = from; opset != to;) {
        opset += to > from ? 1 : -1;
        const onnx::OpSchema* next = schema_of(node.op, opset);
        if (!next) return false;
        if (next->since_version() != at->since_version() && !step(node, *at, *next)) return false;
        at = next;
    }
    return true;
}

}  // namespace

std::int64_t newest_target_opset() {
    return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().LastReleaseVersionMap().at("");
}

std::map<std::string, int> move_to_opset(Graph& graph, std::int64_t target) {
    const std::int64_t own = standard_opset(graph);
    std::map<std::string, int> obstacles;
    if (own == target) return obstacles;
    Mover mover{graph, {}};
    std::vector<Node> nodes = graph.nodes;
    for (Node& node : nodes)
        if (const std::string op = node.op; !mover.move(node, own, target)) ++obstacles[op];
    if (!obstacles.empty()) return obstacles;
    graph.nodes = std::move(nodes);
    graph.initializers.merge(mover.added);
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::erase_if(graph.initializers, [&](const auto& entry) { return !uses.contains(entry.first); });
    graph.opsets[""] = target;
    return obstacles;
}

std::int64_t move_near_opset(Graph& graph, std::int64_t target) {
    const std::int64_t own = standard_opset(graph);
    for (std::int64_t opset = target; opset != own; opset += own > target ? 1 : -1)
        if (move_to_opset(graph, opset).empty()) return opset;
    return own;
}

}  // namespace ouaf::graph
