// Arrays of the graph as LibTorch tensors, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

at::ScalarType scalar_type(DType dtype);
std::optional<DType> dtype_of(at::ScalarType type);            // nothing for what ONNX has no whole-byte type for
std::optional<at::ScalarType> scalar_type(std::int64_t code);  // of ONNX's own number for a type

at::Tensor to_torch(const Tensor& tensor);    // a copy, on CPU
Tensor from_torch(const at::Tensor& tensor);  // a copy; throws where dtype_of has nothing

}  // namespace ouaf::graph
