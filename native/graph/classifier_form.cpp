// See classifier_form.hpp.
#include "native/graph/classifier_form.hpp"

#include <algorithm>
#include <array>

#include "native/graph/canonicalise.hpp"
#include "native/graph/half_precision.hpp"

namespace ouaf::graph {

namespace {

// They hand values on as they are, in another shape or type.
bool only_passes_on(const Node& node) {
    constexpr std::array ops{"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"};
    return node.domain.empty() && std::find(ops.begin(), ops.end(), node.op) != ops.end();
}

// The last node before the first output that computes; nullptr where the way ends at an input or constant.
Node* last_computing(Graph& graph) {
    const auto made_by = producers(graph.nodes);
    for (std::string value = graph.outputs.at(0).name;;) {
        const auto producer = made_by.find(value);
        if (producer == made_by.end()) return nullptr;
        Node& node = graph.nodes[producer->second];
        if (!only_passes_on(node)) return &node;
        value = node.inputs.at(0);
    }
}

bool take_softmax_off(Graph& graph) {
    Node* last = last_computing(graph);
    if (!last || !last->domain.empty()) return false;
    if (last->op == "Sigmoid")
        fail(graph, "ends in " + describe(*last) +
                        ", which gives every class a probability of its own; give a network whose last layer makes "
                        "logits, one a class");
    if (last->op != "Softmax" && last->op != "LogSoftmax") return false;
    if (attribute_or<std::int64_t>(*last, "axis", -1) == 0) return false;  // over the images
    last->op = "Identity";
    last->attributes.clear();
    return true;
}

bool is_channels_last(const Value& input) {
    const auto is_channels = [&](std::size_t axis) {
        const auto* size = std::get_if<std::int64_t>(&input.dims[axis]);
        return size && (*size == 1 || *size == 3);
    };
    return input.has_shape && input.dims.size() == 4 && is_channels(3) && !is_channels(1);
}

void put_channels_first(Graph& graph, Value& input) {
    input.dims = {input.dims[0], input.dims[3], input.dims[1], input.dims[2]};
    const std::string images = unused_name(graph, input.name + ".channels_last");
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), input.name, images);
    graph.nodes.insert(
        graph.nodes.begin(),
        {"Transpose", "", "", {input.name}, {images}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}});
}

}  // namespace

std::vector<std::string> to_classifier_form(Graph& graph) {
    std::vector<std::string> done;
    canonicalise(graph);
    if (compute_in_float32(graph)) done.push_back("its numbers are now float32");
    if (take_softmax_off(graph)) done.push_back("its final softmax was taken off");
    if (!graph.inputs.empty() && is_channels_last(graph.inputs[0])) {
        put_channels_first(graph, graph.inputs[0]);
        done.push_back("its input is now [n, channels, height, width]");
    }
    if (!done.empty()) canonicalise(graph);
    return done;
}

}  // namespace ouaf::graph
