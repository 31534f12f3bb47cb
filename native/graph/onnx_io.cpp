// ONNX protobuf -> graph structs, checked, and the files. LibTorch carries another version of protobuf, so no torch
// header may come in here.
#include "native/graph/onnx_io.hpp"

#include <onnx/checker.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>

#include "native/graph/onnx_proto.hpp"
#include "native/graph/shape_inference.hpp"

namespace ouaf::graph {

namespace {

constexpr std::size_t largest_file = std::numeric_limits<int>::max();  // protobuf's own limit
constexpr int largest_rank = 16;

struct Reader {
    std::string label;
    std::filesystem::path folder = {};  // of the model, for external data; empty for a model from memory
    // Files of external data, and how many bytes were read of each.
    mutable std::map<std::filesystem::path, std::uint64_t> bytes_read = {};

    [[noreturn]] void fail(const std::string& what) const { throw std::runtime_error(label + ": " + what); }
    [[noreturn]] void unsupported(const std::string& what) const { throw Unsupported(label + ": " + what); }

    DType dtype(int code, const std::string& name) const;
    Tensor tensor(const onnx::TensorProto& proto, const std::string& name) const;
    Tensor unpacked(const onnx::TensorProto& proto, const std::string& name) const;
    std::vector<std::byte> external_bytes(const onnx::TensorProto& proto, const std::string& name,
                                          std::int64_t expected) const;
    Attribute attribute(const onnx::AttributeProto& proto, const Node& node) const;
    Node node(const onnx::NodeProto& proto) const;
    Value value(const onnx::ValueInfoProto& proto) const;
    Graph model(const onnx::ModelProto& proto) const;
};

DType Reader::dtype(int code, const std::string& name) const {
    switch (code) {
        case onnx::TensorProto::FLOAT:
        case onnx::TensorProto::UINT8:
        case onnx::TensorProto::INT8:
        case onnx::TensorProto::UINT16:
        case onnx::TensorProto::INT16:
        case onnx::TensorProto::INT32:
        case onnx::TensorProto::INT64:
        case onnx::TensorProto::BOOL:
        case onnx::TensorProto::FLOAT16:
        case onnx::TensorProto::DOUBLE:
        case onnx::TensorProto::UINT32:
        case onnx::TensorProto::UINT64:
        case onnx::TensorProto::BFLOAT16: return static_cast<DType>(code);
        default: break;
    }
    const std::string type = onnx::TensorProto_DataType_IsValid(code)
                                 ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(code))
                                 : std::to_string(code);
    unsupported("'" + name + "' has the element type " + type +
                ", which is not supported; export the model as float32");
}

// The typed fields of a TensorProto hold small types widened; each is narrowed back to its stored width.
template <class Stored, class Field>
std::vector<std::byte> narrowed(const Field& field) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(field.size()) * sizeof(Stored));
    for (int i = 0; i < field.size(); ++i) {
        const auto value = static_cast<Stored>(field[i]);
        std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(Stored), &value, sizeof(Stored));
    }
    return bytes;
}

std::vector<std::byte> bytes_of(const onnx::TensorProto& proto, DType dtype) {
    if (proto.has_raw_data()) {
        std::vector<std::byte> bytes(proto.raw_data().size());
        if (!bytes.empty()) std::memcpy(bytes.data(), proto.raw_data().data(), bytes.size());
        return bytes;
    }
    switch (dtype) {
        case DType::float32: return narrowed<float>(proto.float_data());
        case DType::float64: return narrowed<double>(proto.double_data());
        case DType::int64: return narrowed<std::int64_t>(proto.int64_data());
        case DType::uint64: return narrowed<std::uint64_t>(proto.uint64_data());
        case DType::uint32: return narrowed<std::uint32_t>(proto.uint64_data());
        case DType::int32: return narrowed<std::int32_t>(proto.int32_data());
        default: break;
    }
    return byte_size(dtype) == 1 ? narrowed<std::uint8_t>(proto.int32_data())
                                 : narrowed<std::uint16_t>(proto.int32_data());
}

// A number of an external_data entry; these are text in the file.
std::optional<std::uint64_t> parsed(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// From a file in the model's own folder or below: a model must not read what its user did not hand over.
std::vector<std::byte> Reader::external_bytes(const onnx::TensorProto& proto, const std::string& name,
                                              std::int64_t expected) const {
    std::string location;
    std::optional<std::uint64_t> offset = 0;
    std::optional<std::uint64_t> length;
    for (const auto& entry : proto.external_data()) {
        if (entry.key() == "location") location = entry.value();
        if (entry.key() == "offset") offset = parsed(entry.value());
        if (entry.key() == "length") length = parsed(entry.value());
    }
    const std::string data = "the data of '" + name + "' ";
    if (folder.empty()) fail(data + "is in another file; save the model as one file (onnx.save without external data)");
    const std::filesystem::path relative(location);
    std::error_code error;
    const auto root = std::filesystem::canonical(folder, error);
    const auto path = std::filesystem::weakly_canonical(root / relative, error);
    const auto inside = path.lexically_relative(root);
    if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() || error ||
        inside.empty() || *inside.begin() == "..")
        fail(data + "lies at '" + location + "', outside the model's folder; put it beside the model");
    if (!std::filesystem::is_regular_file(path, error))
        fail(data + "should be in '" + location + "', which is not there; copy it beside the model");
    const std::uint64_t size = std::filesystem::file_size(path, error);
    const auto wanted = static_cast<std::uint64_t>(expected);
    if (error || !offset || *offset > size || wanted > size - *offset || (length && *length != wanted))
        fail(data + "does not fit into '" + location + "'; the file is damaged, download or export it again");
    // Tensors may share bytes, but thousands of them over one large file would fill the memory many times over.
    std::uint64_t& read = bytes_read[path];
    read += wanted;
    if (read > 4 * size)
        fail("its tensors take the same parts of '" + location + "' again and again; export the model again");
    std::vector<std::byte> bytes(wanted);
    std::ifstream file(path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(*offset));
    if (wanted > 0 && !file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(wanted)))
        fail(data + "cannot be read from '" + location + "'; check its permissions");
    return bytes;
}

// Two values a byte, the first in the low bits. They are kept as int8 or uint8, which DequantizeLinear reads alike.
Tensor Reader::unpacked(const onnx::TensorProto& proto, const std::string& name) const {
    const bool has_sign = proto.data_type() == onnx::TensorProto::INT4;
    std::int64_t count = 0;
    try {
        count = element_count(Dims(proto.dims().begin(), proto.dims().end()));
    } catch (const std::runtime_error&) {
        fail("'" + name + "' declares an impossible size; the file is damaged, download or export it again");
    }
    onnx::TensorProto pairs = proto;
    pairs.set_data_type(onnx::TensorProto::UINT8);
    pairs.clear_dims();
    pairs.add_dims((count + 1) / 2);
    const Tensor packed = tensor(pairs, name);
    Tensor result{has_sign ? DType::int8 : DType::uint8, Dims(proto.dims().begin(), proto.dims().end()),
                  std::vector<std::byte>(static_cast<std::size_t>(count))};
    for (std::size_t i = 0; i < result.bytes.size(); ++i) {
        const int four = std::to_integer<int>(packed.bytes[i / 2]) >> (i % 2 == 0 ? 0 : 4) & 15;
        result.bytes[i] = static_cast<std::byte>(has_sign && four > 7 ? four - 16 : four);
    }
    return result;
}

Tensor Reader::tensor(const onnx::TensorProto& proto, const std::string& name) const {
    if (proto.data_type() == onnx::TensorProto::INT4 || proto.data_type() == onnx::TensorProto::UINT4)
        return unpacked(proto, name);
    if (proto.has_segment()) fail("'" + name + "' is split into segments; export the model again");
    if (proto.dims_size() > largest_rank)
        fail("'" + name + "' has " + std::to_string(proto.dims_size()) + " dimensions");
    Tensor tensor{dtype(proto.data_type(), name), Dims(proto.dims().begin(), proto.dims().end()), {}};
    std::int64_t expected = 0;
    try {
        expected = tensor.count() * static_cast<std::int64_t>(byte_size(tensor.dtype));
    } catch (const std::runtime_error&) {
        fail("'" + name + "' declares an impossible size; the file is damaged, download or export it again");
    }
    const bool external = proto.data_location() == onnx::TensorProto::EXTERNAL || proto.external_data_size() > 0;
    tensor.bytes = external ? external_bytes(proto, name, expected) : bytes_of(proto, tensor.dtype);
    if (static_cast<std::int64_t>(tensor.bytes.size()) != expected)
        fail("'" + name + "' holds " + std::to_string(tensor.bytes.size()) + " bytes where its size says " +
             std::to_string(expected) + "; the file is damaged, download or export it again");
    if (tensor.dtype == DType::boolean)  // every other byte than 0 and 1 would be no bool
        for (std::byte& value : tensor.bytes) value = value == std::byte{0} ? value : std::byte{1};
    return tensor;
}

Attribute Reader::attribute(const onnx::AttributeProto& proto, const Node& node) const {
    switch (proto.type()) {
        case onnx::AttributeProto::INT: return proto.i();
        case onnx::AttributeProto::FLOAT: return proto.f();
        case onnx::AttributeProto::STRING: return proto.s();
        case onnx::AttributeProto::INTS: return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
        case onnx::AttributeProto::FLOATS: return std::vector<float>(proto.floats().begin(), proto.floats().end());
        case onnx::AttributeProto::STRINGS:
            return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
        case onnx::AttributeProto::TENSOR: return tensor(proto.t(), proto.name() + " of " + describe(node));
        case onnx::AttributeProto::GRAPH:
        case onnx::AttributeProto::GRAPHS:
            unsupported(describe(node) + " holds a sub-graph (" + proto.name() +
                        "), which is not supported; export the model without control flow");
        default: break;
    }
    unsupported(describe(node) + " has the attribute '" + proto.name() + "' of a kind that is not supported");
}

Node Reader::node(const onnx::NodeProto& proto) const {
    Node node;
    node.op = proto.op_type();
    node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
    node.name = proto.name();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    for (const onnx::AttributeProto& given : proto.attribute())
        if (!node.attributes.emplace(given.name(), attribute(given, node)).second)
            fail(describe(node) + " has the attribute '" + given.name() + "' twice");
    for (const auto& entry : proto.metadata_props())
        if (entry.key() == "pkg.torch.onnx.name_scopes") node.modules = entry.value();
    return node;
}

Value Reader::value(const onnx::ValueInfoProto& proto) const {
    if (!proto.type().has_tensor_type())
        unsupported("'" + proto.name() + "' is not a tensor; an image classifier's inputs and outputs are");
    const auto& type = proto.type().tensor_type();
    Value value{proto.name(), dtype(type.elem_type(), proto.name()), type.has_shape(), {}};
    for (const auto& dim : type.shape().dim()) {
        if (dim.has_dim_value()) value.dims.emplace_back(dim.dim_value());
        else value.dims.emplace_back(dim.dim_param());
    }
    return value;
}

Graph Reader::model(const onnx::ModelProto& proto) const {
    Graph graph;
    graph.source = label;
    graph.name = proto.graph().name();
    // Before IR version 4 initializers had to be inputs too; here they never are.
    graph.ir_version = std::max<std::int64_t>(proto.ir_version(), 4);
    if (proto.functions_size() > 0)
        unsupported("the model defines functions of its own; export it with them inlined (onnx.inliner)");
    if (proto.graph().sparse_initializer_size() > 0)
        unsupported("sparse weights are not supported; store them densely");
    for (const auto& opset : proto.opset_import())
        graph.opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] = opset.version();
    for (const auto& entry : proto.metadata_props()) graph.metadata[entry.key()] = entry.value();
    for (const auto& given : proto.graph().initializer())
        if (!graph.initializers.emplace(given.name(), tensor(given, given.name())).second)
            fail("initializer '" + given.name() + "' is stored twice");
    for (const auto& input : proto.graph().input())
        if (!graph.initializers.contains(input.name())) graph.inputs.push_back(value(input));
    for (const auto& output : proto.graph().output()) graph.outputs.push_back(value(output));
    for (const auto& given : proto.graph().node()) graph.nodes.push_back(node(given));
    if (graph.outputs.empty()) fail("the graph has no output; this is not a model that can run");
    return graph;
}

const onnx::OpSchema* schema_of(const Graph& graph, const Node& node) {
    const auto opset = graph.opsets.find(node.domain);
    if (opset == graph.opsets.end()) return nullptr;
    return onnx::OpSchemaRegistry::Schema(node.op, static_cast<int>(opset->second), node.domain);
}

bool every_op_is_known(const Graph& graph) {
    if (!graph.opsets.contains("")) return true;  // the checker has the better words for it
    return std::all_of(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return !node.domain.empty() || schema_of(graph, node) != nullptr; });
}

// The numbers of inputs and outputs and the kinds of attributes of the operators that ONNX knows.
void check_known_nodes(const Graph& graph) {
    for (const Node& node : graph.nodes) {
        const onnx::OpSchema* schema = schema_of(graph, node);
        if (!schema) continue;
        onnx::NodeProto proto;
        write(node, proto);
        try {
            schema->Verify(proto);
        } catch (const std::exception& error) {
            const std::string why = error.what();
            fail(graph, "not valid ONNX: " + why.substr(0, why.find('\n')) + "; export the model again");
        }
    }
}

void check(const onnx::ModelProto& proto, const std::string& label) {
    try {
        onnx::checker::check_model(proto);
    } catch (const std::exception& error) {
        std::string why = error.what();
        if (const auto end = why.find('\n'); end != std::string::npos) why.resize(end);
        throw std::runtime_error(label + ": not valid ONNX: " + why + "; export the model again");
    }
}

Graph parse(std::span<const std::byte> bytes, const Reader& reader) {
    if (bytes.empty()) reader.fail("the file is empty; download or export it again");
    if (bytes.size() > largest_file) reader.fail("larger than 2 GB, which one ONNX file cannot be");
    Graph graph;
    {
        onnx::ModelProto proto;
        if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_graph())
            reader.fail("not an ONNX model, or cut short; download or export it again");
        graph = reader.model(proto);
    }
    sort_topologically(graph);
    // The checker refuses operators that it does not know; Network names them all.
    if (every_op_is_known(graph)) check(to_proto(graph), reader.label);
    else check_known_nodes(graph);
    infer_shapes(graph);
    return graph;
}

// what: "an ONNX model", for the error that says what to give.
std::vector<std::byte> read_file(const std::string& path, const std::string& what) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) throw std::runtime_error(path + ": no such file; give the path of " + what);
    if (!std::filesystem::is_regular_file(status))
        throw std::runtime_error(path + ": not a file; give the path of " + what);
    const auto size = std::filesystem::file_size(path, error);
    if (error || size > largest_file)
        throw std::runtime_error(path + ": " +
                                 (error ? error.message() : "larger than 2 GB, which one ONNX file cannot be"));
    std::vector<std::byte> bytes(size);
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
        throw std::runtime_error(path + ": cannot be read; check its permissions");
    return bytes;
}

}  // namespace

Graph parse_onnx(std::span<const std::byte> bytes, const std::string& label) { return parse(bytes, Reader{label}); }

Graph load_onnx(const std::string& path) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    return parse(read_file(path, "an ONNX model"), Reader{path, folder});
}

NamedTensor load_tensor(const std::string& path) {
    const auto bytes = read_file(path, "a tensor that ONNX wrote");
    onnx::TensorProto proto;
    if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_data_type())
        throw std::runtime_error(path + ": not an ONNX tensor, or cut short; make the test data again");
    return {proto.name(), Reader{path}.tensor(proto, proto.name())};
}

std::string serialise_onnx(const Graph& graph) {
    const onnx::ModelProto proto = to_proto(graph);
    check(proto, graph.source);
    std::string bytes;
    if (!proto.SerializeToString(&bytes)) fail(graph, "larger than 2 GB, which one ONNX file cannot be");
    return bytes;
}

void save_onnx(const Graph& graph, const std::string& path) {
    const std::string bytes = serialise_onnx(graph);
    const std::string temporary = path + ".partial";
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(temporary, path, error);
    if (!file || error) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw std::runtime_error(path + ": cannot be written; check that the folder exists and has room");
    }
}

}  // namespace ouaf::graph
