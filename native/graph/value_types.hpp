// What every value of a graph is for inputs of given sizes, told without computing: the graph runs on LibTorch's Meta
// device, where a tensor has sizes and a type but no elements. Only what shapes are made of is computed.
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

// inputs: one a graph input; their elements are not read. A value whose node cannot tell its sizes without computing
// is left out, and all that depends on it. The graph must be sorted and its operators in the op table.
ValueTypes value_types(const Graph& graph, std::span<const at::Tensor> inputs);

}  // namespace ouaf::graph
