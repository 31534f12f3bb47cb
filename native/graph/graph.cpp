// The graph structs' own functions: sizes, conversions, order.
#include "native/graph/graph.hpp"

#include <algorithm>
#include <queue>

namespace ouaf::graph {

namespace {

template <class T>
Tensor copy_of(DType dtype, const Dims& dims, std::span<const T> values) {
    if (element_count(dims) != static_cast<std::int64_t>(values.size()))
        throw std::runtime_error("tensor: " + std::to_string(values.size()) + " values given for " +
                                 std::to_string(element_count(dims)) + " elements");
    Tensor tensor{dtype, dims, std::vector<std::byte>(values.size_bytes())};
    if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), values.size_bytes());
    return tensor;
}

template <class Out, class In>
std::vector<Out> converted(const Tensor& tensor) {
    const auto values = tensor.values<In>();
    return std::vector<Out>(values.begin(), values.end());
}

float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16;
    std::uint32_t exponent = (half >> 10) & 0x1f;
    std::uint32_t fraction = half & 0x3ffu;
    if (exponent == 0 && fraction != 0) {  // subnormal: shift until the hidden bit shows
        exponent = 1;
        while (!(fraction & 0x400u)) {
            fraction <<= 1;
            --exponent;
        }
        fraction &= 0x3ffu;
        return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
    }
    if (exponent == 0) return std::bit_cast<float>(sign);
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

}  // namespace

std::size_t byte_size(DType dtype) {
    switch (dtype) {
        case DType::uint8:
        case DType::int8:
        case DType::boolean: return 1;
        case DType::uint16:
        case DType::int16:
        case DType::float16:
        case DType::bfloat16: return 2;
        case DType::float32:
        case DType::int32:
        case DType::uint32: return 4;
        case DType::int64:
        case DType::float64:
        case DType::uint64: return 8;
    }
    throw std::runtime_error("tensor: unknown element type " + std::to_string(static_cast<int>(dtype)));
}

std::string_view dtype_name(DType dtype) {
    switch (dtype) {
        case DType::float32: return "float32";
        case DType::uint8: return "uint8";
        case DType::int8: return "int8";
        case DType::uint16: return "uint16";
        case DType::int16: return "int16";
        case DType::int32: return "int32";
        case DType::int64: return "int64";
        case DType::boolean: return "bool";
        case DType::float16: return "float16";
        case DType::float64: return "float64";
        case DType::uint32: return "uint32";
        case DType::uint64: return "uint64";
        case DType::bfloat16: return "bfloat16";
    }
    return "unknown";
}

std::int64_t element_count(const Dims& dims) {
    constexpr std::int64_t limit = std::int64_t{1} << 40;
    std::int64_t count = 1;
    bool empty = false;
    for (const std::int64_t dim : dims) {
        if (dim < 0) throw std::runtime_error("tensor: negative dimension " + std::to_string(dim));
        empty = empty || dim == 0;
        if (dim == 0) continue;
        if (count > limit / dim) throw std::runtime_error("tensor: more than 2^40 elements");
        count *= dim;
    }
    return empty ? 0 : count;
}

void throw_wrong_dtype(DType dtype) {
    throw std::runtime_error("tensor: elements of type " + std::string(dtype_name(dtype)) + " read as another type");
}

Tensor make_tensor(const Dims& dims, std::span<const float> values) { return copy_of(DType::float32, dims, values); }
Tensor make_tensor(const Dims& dims, std::span<const std::int8_t> values) { return copy_of(DType::int8, dims, values); }
Tensor make_tensor(const Dims& dims, std::span<const std::int64_t> values) {
    return copy_of(DType::int64, dims, values);
}

std::vector<std::int64_t> to_int64s(const Tensor& tensor) {
    switch (tensor.dtype) {
        case DType::int64: return converted<std::int64_t, std::int64_t>(tensor);
        case DType::int32: return converted<std::int64_t, std::int32_t>(tensor);
        case DType::int16: return converted<std::int64_t, std::int16_t>(tensor);
        case DType::int8: return converted<std::int64_t, std::int8_t>(tensor);
        case DType::uint8:
        case DType::boolean: return converted<std::int64_t, std::uint8_t>(tensor);
        case DType::uint16: return converted<std::int64_t, std::uint16_t>(tensor);
        case DType::uint32: return converted<std::int64_t, std::uint32_t>(tensor);
        default: throw_wrong_dtype(tensor.dtype);
    }
}

std::vector<float> to_floats(const Tensor& tensor) {
    switch (tensor.dtype) {
        case DType::float32: return converted<float, float>(tensor);
        case DType::float64: {
            std::vector<float> floats;
            for (const double value : tensor.values<double>()) floats.push_back(static_cast<float>(value));
            return floats;
        }
        case DType::float16: {
            std::vector<float> floats;
            for (const std::uint16_t half : tensor.values<std::uint16_t>()) floats.push_back(half_to_float(half));
            return floats;
        }
        case DType::bfloat16: {
            std::vector<float> floats;
            for (const std::uint16_t high : tensor.values<std::uint16_t>())
                floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(high) << 16));
            return floats;
        }
        default: {
            std::vector<float> floats;
            for (const std::int64_t value : to_int64s(tensor)) floats.push_back(static_cast<float>(value));
            return floats;
        }
    }
}

bool is_floating(DType dtype) {
    return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::float16 || dtype == DType::bfloat16;
}

bool is_weight(const Tensor& tensor) {
    return is_floating(tensor.dtype) && (tensor.count() > 1 || tensor.bytes.empty());
}

std::uint16_t to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000u) {
        half = 0x7e00u;  // NaN
    } else if (magnitude >= 0x477ff000u) {
        half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {
        // Below 2^-14 a half is a multiple of 2^-24, which is the last bit of a float32 between 0.5 and 1.
        half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
    } else {
        half = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | half);
}

std::unordered_map<std::string, std::size_t> producers(std::span<const Node> nodes) {
    std::unordered_map<std::string, std::size_t> made_by;
    for (std::size_t index = 0; index < nodes.size(); ++index)
        for (const std::string& output : nodes[index].outputs)
            if (!output.empty()) made_by.emplace(output, index);
    return made_by;
}

std::unordered_map<std::string, int> use_counts(std::span<const Node> nodes, std::span<const Value> outputs) {
    std::unordered_map<std::string, int> uses;
    for (const Node& node : nodes)
        for (const std::string& input : node.inputs)
            if (!input.empty()) ++uses[input];
    for (const Value& output : outputs) ++uses[output.name];
    return uses;
}

std::string unused_name(const Graph& graph, std::string name) {
    const auto made_by = producers(graph.nodes);
    const auto is_input = [&] {
        return std::any_of(graph.inputs.begin(), graph.inputs.end(),
                           [&](const Value& input) { return input.name == name; });
    };
    while (graph.initializers.contains(name) || made_by.contains(name) || is_input()) name += "_";
    return name;
}

std::string describe(const Node& node) {
    const std::string& name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs.front();
    return (node.domain.empty() ? node.op : node.domain + "." + node.op) + " '" + name + "'";
}

void fail(const Graph& graph, const std::string& what) { throw std::runtime_error(graph.source + ": " + what); }

std::int64_t standard_opset(const Graph& graph) {
    const auto opset = graph.opsets.find("");
    return opset == graph.opsets.end() ? 0 : opset->second;
}

void sort_topologically(Graph& graph) {
    std::unordered_set<std::string> given;
    for (const Value& input : graph.inputs)
        if (!given.insert(input.name).second) fail(graph, "input '" + input.name + "' is declared twice");
    for (const auto& [name, tensor] : graph.initializers) given.insert(name);

    std::unordered_map<std::string, std::size_t> made_by;
    for (std::size_t index = 0; index < graph.nodes.size(); ++index)
        for (const std::string& output : graph.nodes[index].outputs)
            if (!output.empty() && (given.contains(output) || !made_by.emplace(output, index).second))
                fail(graph, "value '" + output + "' is made twice; each value needs a name of its own");

    std::vector<std::vector<std::size_t>> consumers(graph.nodes.size());
    std::vector<std::size_t> waits_for(graph.nodes.size(), 0);
    for (std::size_t index = 0; index < graph.nodes.size(); ++index)
        for (const std::string& input : graph.nodes[index].inputs) {
            if (input.empty() || given.contains(input)) continue;
            const auto producer = made_by.find(input);
            if (producer == made_by.end())
                fail(graph, describe(graph.nodes[index]) + " reads '" + input +
                                "', which nothing produces; the file is incomplete, export it again");
            consumers[producer->second].push_back(index);
            ++waits_for[index];
        }
    for (const Value& output : graph.outputs)
        if (!given.contains(output.name) && !made_by.contains(output.name))
            fail(graph, "output '" + output.name + "' is produced by nothing; the file is incomplete, export it again");

    // The smallest waiting index first: a file already in order keeps its order.
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t index = 0; index < graph.nodes.size(); ++index)
        if (waits_for[index] == 0) ready.push(index);
    std::vector<Node> sorted;
    sorted.reserve(graph.nodes.size());
    std::vector<bool> done(graph.nodes.size(), false);
    while (!ready.empty()) {
        const std::size_t index = ready.top();
        ready.pop();
        for (const std::size_t consumer : consumers[index])
            if (--waits_for[consumer] == 0) ready.push(consumer);
        done[index] = true;
        sorted.push_back(std::move(graph.nodes[index]));
    }
    if (sorted.size() != graph.nodes.size()) {
        const auto stuck = std::find(done.begin(), done.end(), false) - done.begin();
        fail(graph, "the graph has a cycle through " + describe(graph.nodes[static_cast<std::size_t>(stuck)]) +
                        "; a feed-forward network has none");
    }
    graph.nodes = std::move(sorted);
}

}  // namespace ouaf::graph
