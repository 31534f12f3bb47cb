// Changes an ONNX model as a model, so that most of what libFuzzer tries passes the parser and reaches the operators:
// attributes, sizes, operator names and edges get other, mostly hostile, values.
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace {

using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t count) { return count == 0 ? 0 : random() % count; }

std::int64_t hostile_integer(Random& random) {
    using Limits = std::numeric_limits<std::int64_t>;
    constexpr std::int64_t one = 1;
    const std::int64_t values[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   7,
                                   8,
                                   16,
                                   64,
                                   -1,
                                   -2,
                                   -3,
                                   -5,
                                   255,
                                   1 << 10,
                                   1 << 20,
                                   one << 31,
                                   -(one << 31),
                                   one << 32,
                                   (one << 32) + 1,
                                   one << 40,
                                   one << 62,
                                   Limits::max(),
                                   Limits::min(),
                                   6};
    return values[below(random, std::size(values))];
}

float hostile_real(Random& random) {
    using Limits = std::numeric_limits<float>;
    const float values[] = {0.0f, 1.0f, -1.0f, 0.5f, 2.0f, 1e-30f, 1e30f, Limits::infinity(), Limits::quiet_NaN(),
                            3.0f};
    return values[below(random, std::size(values))];
}

std::string operator_name(Random& random) {
    const char* names[] = {"Conv",
                           "ConvTranspose",
                           "Gemm",
                           "MatMul",
                           "Einsum",
                           "Relu",
                           "Clip",
                           "Softmax",
                           "Add",
                           "Mul",
                           "Div",
                           "Mod",
                           "Pow",
                           "MaxPool",
                           "AveragePool",
                           "LpPool",
                           "MaxUnpool",
                           "Col2Im",
                           "LSTM",
                           "GlobalAveragePool",
                           "BatchNormalization",
                           "LayerNormalization",
                           "InstanceNormalization",
                           "GroupNormalization",
                           "LRN",
                           "Reshape",
                           "Transpose",
                           "Concat",
                           "Split",
                           "Slice",
                           "Squeeze",
                           "Unsqueeze",
                           "Expand",
                           "Tile",
                           "Pad",
                           "DepthToSpace",
                           "SpaceToDepth",
                           "Gather",
                           "GatherElements",
                           "GatherND",
                           "ScatterElements",
                           "ScatterND",
                           "TensorScatter",
                           "ReverseSequence",
                           "Compress",
                           "NonZero",
                           "Shape",
                           "Size",
                           "ConstantOfShape",
                           "Range",
                           "EyeLike",
                           "OneHot",
                           "Trilu",
                           "ReduceSum",
                           "ReduceMax",
                           "ArgMax",
                           "CumSum",
                           "TopK",
                           "Unique",
                           "Resize",
                           "GridSample",
                           "AffineGrid",
                           "Attention",
                           "RotaryEmbedding",
                           "Cast",
                           "BitCast",
                           "BitShift",
                           "Where",
                           "Identity",
                           "Dropout",
                           "DequantizeLinear",
                           "NegativeLogLikelihoodLoss",
                           "CenterCropPad",
                           "Constant"};
    return names[below(random, std::size(names))];
}

void change_tensor(onnx::TensorProto& tensor, Random& random) {
    switch (below(random, 5)) {
        case 0:
            if (tensor.dims_size() > 0) {
                tensor.set_dims(static_cast<int>(below(random, static_cast<std::size_t>(tensor.dims_size()))),
                                hostile_integer(random));
                break;
            }
            [[fallthrough]];
        case 1: tensor.add_dims(static_cast<std::int64_t>(below(random, 3))); break;
        case 2: tensor.set_data_type(static_cast<int>(below(random, 20))); break;
        default: {  // a value of it, where it is one of the integers or reals of eight or four bytes
            std::string* bytes = tensor.has_raw_data() ? tensor.mutable_raw_data() : nullptr;
            if (bytes && tensor.data_type() == onnx::TensorProto::INT64 && bytes->size() >= 8) {
                const std::int64_t value = hostile_integer(random);
                bytes->replace(8 * below(random, bytes->size() / 8), 8, reinterpret_cast<const char*>(&value), 8);
            } else if (bytes && bytes->size() >= 4) {
                const float value = hostile_real(random);
                bytes->replace(4 * below(random, bytes->size() / 4), 4, reinterpret_cast<const char*>(&value), 4);
            } else if (tensor.int64_data_size() > 0) {
                tensor.set_int64_data(
                    static_cast<int>(below(random, static_cast<std::size_t>(tensor.int64_data_size()))),
                    hostile_integer(random));
            } else {
                tensor.set_data_location(onnx::TensorProto::EXTERNAL);
            }
        }
    }
}

void change_attribute(onnx::AttributeProto& attribute, Random& random) {
    if (attribute.type() == onnx::AttributeProto::INT) {
        attribute.set_i(hostile_integer(random));
    } else if (attribute.type() == onnx::AttributeProto::FLOAT) {
        attribute.set_f(hostile_real(random));
    } else if (attribute.type() == onnx::AttributeProto::INTS) {
        const auto count = static_cast<std::size_t>(attribute.ints_size());
        if (count == 0 || below(random, 8) == 0) attribute.add_ints(hostile_integer(random));
        else if (below(random, 8) == 0) attribute.mutable_ints()->RemoveLast();
        else attribute.set_ints(static_cast<int>(below(random, count)), hostile_integer(random));
    } else if (attribute.type() == onnx::AttributeProto::TENSOR) {
        change_tensor(*attribute.mutable_t(), random);
    } else if (attribute.type() == onnx::AttributeProto::STRING) {
        const char* texts[] = {"SAME_UPPER",         "VALID", "linear", "cubic", "reflect", "edge", "add",
                               "tf_crop_and_resize", "ij,jk"};
        attribute.set_s(texts[below(random, std::size(texts))]);
    }
}

// Any value of the graph: an input, an initializer or what a node makes.
std::string some_value(const onnx::GraphProto& graph, Random& random) {
    const auto inputs = static_cast<std::size_t>(graph.input_size());
    const auto constants = static_cast<std::size_t>(graph.initializer_size());
    const auto nodes = static_cast<std::size_t>(graph.node_size());
    std::size_t at = below(random, inputs + constants + nodes + 1);
    if (at < inputs) return graph.input(static_cast<int>(at)).name();
    at -= inputs;
    if (at < constants) return graph.initializer(static_cast<int>(at)).name();
    at -= constants;
    if (at < nodes && graph.node(static_cast<int>(at)).output_size() > 0)
        return graph.node(static_cast<int>(at)).output(0);
    return "";
}

void change_node(onnx::GraphProto& graph, onnx::NodeProto& node, Random& random) {
    const auto attributes = static_cast<std::size_t>(node.attribute_size());
    const auto inputs = static_cast<std::size_t>(node.input_size());
    switch (below(random, 10)) {
        case 0: node.set_op_type(operator_name(random)); break;
        case 1: node.add_input(some_value(graph, random)); break;
        case 2:
            if (inputs > 0) node.set_input(static_cast<int>(below(random, inputs)), some_value(graph, random));
            break;
        case 3: node.add_output("more" + std::to_string(random())); break;
        case 4:
            if (attributes > 0)
                node.mutable_attribute()->DeleteSubrange(static_cast<int>(below(random, attributes)), 1);
            break;
        default:
            if (attributes > 0)
                change_attribute(*node.mutable_attribute(static_cast<int>(below(random, attributes))), random);
    }
}

void change_model(onnx::ModelProto& model, Random& random) {
    onnx::GraphProto& graph = *model.mutable_graph();
    const auto nodes = static_cast<std::size_t>(graph.node_size());
    const auto constants = static_cast<std::size_t>(graph.initializer_size());
    const auto inputs = static_cast<std::size_t>(graph.input_size());
    switch (below(random, 8)) {
        case 0:
        case 1:
            if (constants > 0)
                change_tensor(*graph.mutable_initializer(static_cast<int>(below(random, constants))), random);
            break;
        case 2:
            if (inputs > 0) {
                auto* type =
                    graph.mutable_input(static_cast<int>(below(random, inputs)))->mutable_type()->mutable_tensor_type();
                if (below(random, 3) == 0) type->set_elem_type(static_cast<int>(below(random, 17)));
                else if (type->shape().dim_size() > 0)
                    type->mutable_shape()
                        ->mutable_dim(
                            static_cast<int>(below(random, static_cast<std::size_t>(type->shape().dim_size()))))
                        ->set_dim_value(hostile_integer(random));
            }
            break;
        case 3:
            if (model.opset_import_size() > 0)
                model.mutable_opset_import(0)->set_version(static_cast<std::int64_t>(7 + below(random, 22)));
            break;
        case 4:  // one node more, after some value
            if (nodes > 0) {
                onnx::NodeProto node = graph.node(static_cast<int>(below(random, nodes)));
                node.clear_output();
                node.add_output("made" + std::to_string(random()));
                change_node(graph, node, random);
                graph.mutable_output(0)->set_name(node.output(0));
                *graph.add_node() = node;
            }
            break;
        default:
            if (nodes > 0) change_node(graph, *graph.mutable_node(static_cast<int>(below(random, nodes))), random);
    }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// One change in sixteen is one of bytes, for the parser's sake.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    Random random(seed);
    onnx::ModelProto model;
    if (below(random, 16) == 0 || !model.ParseFromArray(data, static_cast<int>(size)) || !model.has_graph() ||
        model.graph().output_size() == 0)
        return LLVMFuzzerMutate(data, size, most);
    for (std::size_t changes = 1 + below(random, 3); changes > 0; --changes) change_model(model, random);
    if (model.ByteSizeLong() > most) return LLVMFuzzerMutate(data, size, most);
    model.SerializeToArray(data, static_cast<int>(most));
    return model.ByteSizeLong();
}
