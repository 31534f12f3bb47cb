// The network as data: an ONNX graph in plain structs, without protobuf and without LibTorch.
// Reading and writing files: onnx_io.hpp. Running and differentiating: network.hpp.
//
//     Graph graph = load_onnx("model.onnx");
//     canonicalise(graph);
//     Network network(graph);
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace ouaf::graph {

static_assert(std::endian::native == std::endian::little, "tensor bytes are kept as ONNX stores them");

// The numeric element types of ONNX that are stored in whole bytes. The values are ONNX's own.
enum class DType : int {
    float32 = 1,
    uint8 = 2,
    int8 = 3,
    uint16 = 4,
    int16 = 5,
    int32 = 6,
    int64 = 7,
    boolean = 9,
    float16 = 10,
    float64 = 11,
    uint32 = 12,
    uint64 = 13,
    bfloat16 = 16,
};

std::size_t byte_size(DType dtype);        // of one element
std::string_view dtype_name(DType dtype);  // "float32"

using Dims = std::vector<std::int64_t>;

// Product of dims; 1 for a scalar. Throws where a dim is negative or the product, zeros left out, passes 2^40.
std::int64_t element_count(const Dims& dims);

// A dense array: row-major, little-endian, bytes.size() == element_count(dims) * byte_size(dtype).
struct Tensor {
    DType dtype = DType::float32;
    Dims dims;
    std::vector<std::byte> bytes;

    std::int64_t count() const { return element_count(dims); }

    // The elements as T, without conversion; throws where T is not how dtype is stored.
    template <class T>
    std::span<const T> values() const;
    template <class T>
    std::span<T> values();
};

template <class T>
constexpr bool stores(DType dtype) {
    switch (dtype) {
        case DType::float32: return std::is_same_v<T, float>;
        case DType::float64: return std::is_same_v<T, double>;
        case DType::int8: return std::is_same_v<T, std::int8_t>;
        case DType::uint8:
        case DType::boolean: return std::is_same_v<T, std::uint8_t>;
        case DType::int16: return std::is_same_v<T, std::int16_t>;
        case DType::uint16:
        case DType::float16:
        case DType::bfloat16: return std::is_same_v<T, std::uint16_t>;
        case DType::int32: return std::is_same_v<T, std::int32_t>;
        case DType::uint32: return std::is_same_v<T, std::uint32_t>;
        case DType::int64: return std::is_same_v<T, std::int64_t>;
        case DType::uint64: return std::is_same_v<T, std::uint64_t>;
    }
    return false;
}

[[noreturn]] void throw_wrong_dtype(DType dtype);

template <class T>
std::span<const T> Tensor::values() const {
    if (!stores<T>(dtype)) throw_wrong_dtype(dtype);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <class T>
std::span<T> Tensor::values() {
    if (!stores<T>(dtype)) throw_wrong_dtype(dtype);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

// Copies of the given elements; throws where their number is not the product of dims.
Tensor make_tensor(const Dims& dims, std::span<const float> values);
Tensor make_tensor(const Dims& dims, std::span<const std::int8_t> values);
Tensor make_tensor(const Dims& dims, std::span<const std::int64_t> values);

// Elements converted: a constant that says a shape, an axis or a bound may have any numeric type.
std::vector<std::int64_t> to_int64s(const Tensor& tensor);  // integer types only
std::vector<float> to_floats(const Tensor& tensor);         // every numeric type

bool is_floating(DType dtype);

// A floating constant of more than one element, or one whose elements are elsewhere (its bytes are empty): training may
// change it, so nothing may be computed from it beforehand. Single numbers are an exporter's settings.
bool is_weight(const Tensor& tensor);

// The nearest float16, ties to even: infinity from 65520 on, as IEEE 754 rounds.
std::uint16_t to_half(float value);

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor>;

// One operation. An empty input name is an optional input left out, as in ONNX.
struct Node {
    std::string op;
    std::string domain;  // "" is ONNX's own
    std::string name;    // may be empty
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, Attribute> attributes;
    // The modules of the exporting program that the node comes from, as PyTorch's exporter notes them:
    // "['', 'stem', 'stem.bn', …]". A hint for whose a weight is; not written.
    std::string modules{};
};

// The attribute where the node has it with that type, or nullptr.
template <class T>
const T* find_attribute(const Node& node, const std::string& name) {
    const auto found = node.attributes.find(name);
    return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

template <class T>
T attribute_or(const Node& node, const std::string& name, T fallback) {
    const T* value = find_attribute<T>(node, name);
    return value ? *value : fallback;
}

using Dim = std::variant<std::int64_t, std::string>;  // a size, or the name of a size known when run

// An input or output of the graph. Without a shape in the file, has_shape is false.
struct Value {
    std::string name;
    DType dtype = DType::float32;
    bool has_shape = true;
    std::vector<Dim> dims;
};

struct Graph {
    std::string source;  // where it came from; opens every error message about it
    std::string name;
    std::int64_t ir_version = 8;
    std::map<std::string, std::int64_t> opsets;  // domain -> version; "" is ONNX's own
    std::vector<Value> inputs;                   // without the initializers
    std::vector<Value> outputs;
    std::vector<Node> nodes;  // after load_onnx: producers before consumers
    std::map<std::string, Tensor> initializers;
    std::map<std::string, std::string> metadata;
};

// Where each value is made: name -> index of the node. Graph inputs and initializers are not in it.
std::unordered_map<std::string, std::size_t> producers(std::span<const Node> nodes);

// How often each value is read by nodes; a graph output counts as one more.
std::unordered_map<std::string, int> use_counts(std::span<const Node> nodes, std::span<const Value> outputs);

// name, with underscores after it where a node, an input or an initializer has that name already.
std::string unused_name(const Graph& graph, std::string name);

// For messages: "Conv 'stem_conv'", or the first output where the node has no name.
std::string describe(const Node& node);

// runtime_error("source: what") — the one shape of this folder's errors.
[[noreturn]] void fail(const Graph& graph, const std::string& what);

// What stands in a file that may be right and that this folder cannot run, as against what is broken.
struct Unsupported : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The version of ONNX's own operators; 0 where the graph names none.
std::int64_t standard_opset(const Graph& graph);

// Reorders nodes so that producers come before consumers, keeping the file's order where it can.
// Throws on a cycle, on an input that nothing produces and on a value made twice.
void sort_topologically(Graph& graph);

}  // namespace ouaf::graph
