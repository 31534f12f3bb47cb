// The graph structs as protobuf, for the files of this folder that call the onnx library. Torch headers must not meet
// this one.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

void write(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);
void write(const Value& value, onnx::ValueInfoProto& proto);
void write(const Node& node, onnx::NodeProto& proto);
onnx::ModelProto to_proto(const Graph& graph);

}  // namespace ouaf::graph
