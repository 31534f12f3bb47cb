// Node by node through the schemas' own inference functions. onnx::shape_inference::InferShapes would do the same, but
// it makes as many dimensions as a file claims that a shape tensor has: one number in a hostile file asks for
// terabytes.
#include "native/graph/shape_inference.hpp"

#include <google/protobuf/stubs/common.h>
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <deque>

#include "native/graph/onnx_proto.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t most_dims = 64;  // of a value, and of what is followed as a shape

bool is_vector_over(const onnx::TypeProto& type, std::int64_t limit) {
    const auto& shape = type.tensor_type().shape();
    return shape.dim_size() == 1 && shape.dim(0).dim_value() > limit;
}

// Divisors in the inference functions; a zero there ends the program.
bool has_senseless_divisor(const Node& node) {
    for (const char* name : {"strides", "dilations", "kernel_shape"})
        if (const auto* numbers = find_attribute<std::vector<std::int64_t>>(node, name))
            if (std::any_of(numbers->begin(), numbers->end(), [](std::int64_t number) { return number <= 0; }))
                return true;
    for (const char* name : {"group", "blocksize", "num_outputs", "block_size", "num_groups"})
        if (attribute_or<std::int64_t>(node, name, 1) <= 0) return true;
    return false;
}

// onnx 1.23's inference never ends where an equation has a character of no meaning, and blanks count as such.
bool has_senseless_equation(const Node& node) {
    const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return attribute_or<std::string>(node, "equation", "").find_first_not_of(letters + ".,->") != std::string::npos;
}

Node without_blanks(Node node) {
    const auto equation = node.attributes.find("equation");
    if (equation != node.attributes.end())
        if (auto* text = std::get_if<std::string>(&equation->second)) std::erase(*text, ' ');
    return node;
}

Value value_of(const std::string& name, const onnx::TypeProto& type) {
    Value value{name, static_cast<DType>(type.tensor_type().elem_type()), type.tensor_type().has_shape(), {}};
    for (const auto& dim : type.tensor_type().shape().dim()) {
        if (dim.has_dim_value()) value.dims.emplace_back(dim.dim_value());
        else value.dims.emplace_back(dim.dim_param());
    }
    return value;
}

std::string shape_text(const Value& value) {
    std::string text = std::string(dtype_name(value.dtype)) + " [";
    for (std::size_t i = 0; i < value.dims.size(); ++i) {
        const auto* size = std::get_if<std::int64_t>(&value.dims[i]);
        text += (i > 0 ? ", " : "") + (size ? std::to_string(*size) : "?");
    }
    return text + "]";
}

bool contradict(const Value& a, const Value& b) {
    if (a.dtype != b.dtype) return true;
    if (!a.has_shape || !b.has_shape) return false;
    if (a.dims.size() != b.dims.size()) return true;
    for (std::size_t i = 0; i < a.dims.size(); ++i) {
        const auto* x = std::get_if<std::int64_t>(&a.dims[i]);
        const auto* y = std::get_if<std::int64_t>(&b.dims[i]);
        if (x && y && *x != *y) return true;
    }
    return false;
}

struct Inference {
    explicit Inference(const Graph& of);
    void infer(const Node& node);

    const Graph& graph;
    std::deque<onnx::TypeProto> type_store;
    std::deque<onnx::TensorProto> data_store;
    std::unordered_map<std::string, onnx::TypeProto*> types;
    std::unordered_map<std::string, const onnx::TensorProto*> data;  // constants that may say a shape
    onnx::shape_inference::DataValueMap followed;                    // computed values that may say a shape

    void add_type(const Value& value) {
        onnx::ValueInfoProto proto;
        write(value, proto);
        types[value.name] = &type_store.emplace_back(proto.type());
    }
    void add_constant(const std::string& name, const Tensor& tensor);
    bool can_infer(const Node& node) const;
    void follow_values(const onnx::OpSchema& schema, onnx::NodeProto& proto);
};

Inference::Inference(const Graph& of) : graph(of) {
    for (const Value& input : graph.inputs) add_type(input);
    for (const auto& [name, tensor] : graph.initializers) add_constant(name, tensor);
}

void Inference::add_constant(const std::string& name, const Tensor& tensor) {
    add_type({name, tensor.dtype, true, {tensor.dims.begin(), tensor.dims.end()}});
    if (tensor.count() > most_dims) return;
    write(tensor, name, data_store.emplace_back());
    data[name] = &data_store.back();
}

bool Inference::can_infer(const Node& node) const {
    if (has_senseless_divisor(node) || has_senseless_equation(node)) return false;
    for (const std::string& input : node.inputs) {
        if (input.empty()) continue;
        const auto type = types.find(input);
        if (type == types.end()) return false;
        // Whatever such a vector means, it is no shape that a classifier has; Gather reads it as indices.
        const bool integers = type->second->tensor_type().elem_type() == onnx::TensorProto::INT64 ||
                              type->second->tensor_type().elem_type() == onnx::TensorProto::INT32;
        if (integers && node.op != "Gather" && is_vector_over(*type->second, most_dims)) return false;
    }
    return true;
}

void Inference::follow_values(const onnx::OpSchema& schema, onnx::NodeProto& proto) {
    if (!schema.has_data_propagation_function() || proto.input_size() > most_dims) return;
    for (const std::string& input : proto.input())
        if (!input.empty() && is_vector_over(*types.at(input), most_dims)) return;
    onnx::shape_inference::DataPropagationContextImpl context(proto, types, data, followed);
    schema.GetDataPropagationFunction()(context);
    for (const std::string& output : proto.output())
        if (const auto made = followed.find(output); made != followed.end() && made->second.dim_size() > most_dims)
            followed.erase(made);
}

void Inference::infer(const Node& node) {
    if (const auto* constant = find_attribute<Tensor>(node, "value"); constant && node.op == "Constant")
        return add_constant(node.outputs.at(0), *constant);
    const auto opset = graph.opsets.find(node.domain);
    if (opset == graph.opsets.end()) return;
    const auto* schema = onnx::OpSchemaRegistry::Schema(node.op, static_cast<int>(opset->second), node.domain);
    if (!schema || !schema->has_type_and_shape_inference_function() || !can_infer(node)) return;
    onnx::NodeProto proto;
    write(node, proto);
    try {
        onnx::shape_inference::InferenceContextImpl context(proto, types, data, {},
                                                            onnx::ShapeInferenceOptions(true, 1, true), &followed);
        schema->GetTypeAndShapeInferenceFunction()(context);
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            const onnx::TypeProto& type = *context.getOutputType(i);
            if (node.outputs[i].empty() || !type.has_tensor_type() || type.tensor_type().elem_type() == 0) continue;
            if (type.tensor_type().shape().dim_size() > most_dims) continue;
            types[node.outputs[i]] = &type_store.emplace_back(type);
        }
        follow_values(*schema, proto);
    } catch (const google::protobuf::FatalException&) {
        fail(graph, describe(node) + " has attributes that do not fit its inputs; export the model again");
    } catch (const std::exception& error) {
        const std::string why = error.what();
        fail(graph, describe(node) + " does not fit its inputs: " + why.substr(0, why.find('\n')) +
                        "; export the model again");
    }
}

}  // namespace

Shapes infer_shapes(const Graph& graph) {
    // protobuf throws what it finds out of range, and would also print it.
    static const auto handler = google::protobuf::SetLogHandler(nullptr);
    static_cast<void>(handler);
    Inference inference(graph);
    for (const Node& node : graph.nodes) inference.infer(node.op == "Einsum" ? without_blanks(node) : node);
    Shapes shapes;
    for (const auto& [name, type] : inference.types) shapes[name] = value_of(name, *type);
    for (const Value& output : graph.outputs) {
        const auto inferred = shapes.find(output.name);
        if (inferred != shapes.end() && contradict(output, inferred->second))
            fail(graph, "output '" + output.name + "' is declared as " + shape_text(output) +
                            ", and what makes it gives " + shape_text(inferred->second) + "; export the model again");
    }
    return shapes;
}

void declare_outputs(Graph& graph) {
    const Shapes shapes = infer_shapes(graph);
    for (Value& output : graph.outputs) {
        const auto inferred = shapes.find(output.name);
        if (!output.has_shape && inferred != shapes.end()) output = inferred->second;
    }
}

}  // namespace ouaf::graph
