// Graph structs -> ONNX protobuf.
#include "native/graph/onnx_proto.hpp"

namespace ouaf::graph {

void write(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
    if (!name.empty()) proto.set_name(name);
    proto.set_data_type(static_cast<int>(tensor.dtype));
    for (const std::int64_t dim : tensor.dims) proto.add_dims(dim);
    proto.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
}

static void write(const std::string& name, const Attribute& attribute, onnx::AttributeProto& proto) {
    proto.set_name(name);
    if (const auto* integer = std::get_if<std::int64_t>(&attribute)) {
        proto.set_type(onnx::AttributeProto::INT);
        proto.set_i(*integer);
    } else if (const auto* real = std::get_if<float>(&attribute)) {
        proto.set_type(onnx::AttributeProto::FLOAT);
        proto.set_f(*real);
    } else if (const auto* text = std::get_if<std::string>(&attribute)) {
        proto.set_type(onnx::AttributeProto::STRING);
        proto.set_s(*text);
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&attribute)) {
        proto.set_type(onnx::AttributeProto::INTS);
        proto.mutable_ints()->Add(integers->begin(), integers->end());
    } else if (const auto* reals = std::get_if<std::vector<float>>(&attribute)) {
        proto.set_type(onnx::AttributeProto::FLOATS);
        proto.mutable_floats()->Add(reals->begin(), reals->end());
    } else if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute)) {
        proto.set_type(onnx::AttributeProto::STRINGS);
        for (const std::string& each : *texts) proto.add_strings(each);
    } else {
        proto.set_type(onnx::AttributeProto::TENSOR);
        write(std::get<Tensor>(attribute), "", *proto.mutable_t());
    }
}

void write(const Value& value, onnx::ValueInfoProto& proto) {
    proto.set_name(value.name);
    auto* type = proto.mutable_type()->mutable_tensor_type();
    type->set_elem_type(static_cast<int>(value.dtype));
    if (!value.has_shape) return;
    auto* shape = type->mutable_shape();
    for (const Dim& dim : value.dims) {
        auto* written = shape->add_dim();
        if (const auto* size = std::get_if<std::int64_t>(&dim)) written->set_dim_value(*size);
        else if (!std::get<std::string>(dim).empty()) written->set_dim_param(std::get<std::string>(dim));
    }
}

void write(const Node& node, onnx::NodeProto& proto) {
    proto.set_op_type(node.op);
    if (!node.domain.empty()) proto.set_domain(node.domain);
    if (!node.name.empty()) proto.set_name(node.name);
    for (const std::string& input : node.inputs) proto.add_input(input);
    for (const std::string& output : node.outputs) proto.add_output(output);
    for (const auto& [name, attribute] : node.attributes) write(name, attribute, *proto.add_attribute());
}

onnx::ModelProto to_proto(const Graph& graph) {
    onnx::ModelProto proto;
    proto.set_ir_version(graph.ir_version);
    proto.set_producer_name("ouaf");
    for (const auto& [domain, version] : graph.opsets) {
        auto* opset = proto.add_opset_import();
        opset->set_domain(domain);
        opset->set_version(version);
    }
    for (const auto& [key, value] : graph.metadata) {
        auto* entry = proto.add_metadata_props();
        entry->set_key(key);
        entry->set_value(value);
    }
    auto* written = proto.mutable_graph();
    written->set_name(graph.name.empty() ? "network" : graph.name);
    for (const Value& input : graph.inputs) write(input, *written->add_input());
    for (const Value& output : graph.outputs) write(output, *written->add_output());
    for (const auto& [name, tensor] : graph.initializers) write(tensor, name, *written->add_initializer());
    for (const Node& node : graph.nodes) write(node, *written->add_node());
    return proto;
}

}  // namespace ouaf::graph
