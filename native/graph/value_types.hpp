// What every value of a graph is for inputs of given sizes, told without computing.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <unordered_map>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct ValueType {
    Dims sizes;
    at::ScalarType type = at::kFloat;
};
using ValueTypes = std::unordered_map<std::string, ValueType>;

// By ONNX's own shape inference (shape_inference.hpp), with the graph's inputs declared to have the sizes of `inputs`,
// whose elements are not read. Values that it cannot tell are left out. The graph must be in running order; its large
// weights need no elements.
ValueTypes value_types(Graph graph, std::span<const at::Tensor> inputs);

}  // namespace ouaf::graph
