// A graph written in another version of ONNX's operators.
//
// onnx's own version converter is not used: it drops the metadata, fails on axes that are constant but computed, and
// refuses versions that differ in nothing but further element types where it has no adapter.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

constexpr std::int64_t oldest_target_opset = 13;  // DequantizeLinear with a scale a channel begins here
std::int64_t newest_target_opset();               // the newest release that the onnx library knows

// The operators that the target opset cannot hold with the meaning they have here, and how many of each; none: the
// graph is now of that opset. A node moves where both versions have the same inputs, attributes and defaults for what
// it uses (then they differ in element types), or where an attribute became an input (axes, split, pads, min, max, k,
// …) whose value is constant. Otherwise the graph is left as it was. Operators of other domains stay as they are. The
// graph must be canonical.
std::map<std::string, int> move_to_opset(Graph& graph, std::int64_t target);

// Moves to the opset nearest the target, between it and the graph's own, that holds the graph; returns it.
std::int64_t move_near_opset(Graph& graph, std::int64_t target);

}  // namespace ouaf::graph
