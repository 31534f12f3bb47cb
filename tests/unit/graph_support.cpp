// See graph_support.hpp.
#include "tests/unit/graph_support.hpp"

#include <cstdio>
#include <filesystem>

#include "native/graph/onnx_io.hpp"

#ifndef OUAF_SHARED_DIR
#define OUAF_SHARED_DIR "../shared"
#endif

namespace ouaf::graph::test {

Graph make_graph(const Dims& input, std::vector<Node> nodes, std::map<std::string, Tensor> constants,
                 std::int64_t opset) {
    Graph graph;
    graph.source = "test";
    graph.opsets[""] = opset;
    Value x{"x", DType::float32, true, {}};
    for (const std::int64_t dim : input) x.dims.emplace_back(dim);
    graph.inputs = {x};
    graph.outputs = {Value{"y", DType::float32, false, {}}};
    graph.nodes = std::move(nodes);
    graph.initializers = std::move(constants);
    return graph;
}

Tensor noise(const Dims& dims, std::uint32_t seed) {
    std::vector<float> values(static_cast<std::size_t>(element_count(dims)));
    std::uint32_t state = seed * 2654435761u + 12345u;
    for (float& value : values) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
    }
    return make_tensor(dims, std::span<const float>(values));
}

Tensor floats(const Dims& dims, const std::vector<float>& values) {
    return make_tensor(dims, std::span<const float>(values));
}

Tensor integers(const std::vector<std::int64_t>& values) {
    return make_tensor({static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}

Tensor number(float value) { return make_tensor({}, std::span<const float>(&value, 1)); }

Result run_onnxruntime(const std::string& bytes, const std::string& input_name, const std::string& output_name,
                       const Tensor& input) {
    return onnxruntime::Session(bytes).run({input_name}, {&input}, {output_name}).at(0);
}

Result run_onnxruntime(const Graph& graph, const Tensor& input) {
    return run_onnxruntime(serialise_onnx(graph), graph.inputs.at(0).name, graph.outputs.at(0).name, input);
}

std::string shared_file(const std::string& name) {
    const auto path = std::filesystem::path(OUAF_SHARED_DIR) / name;
    if (std::filesystem::exists(path)) return path.string();
    std::printf("skipped: %s is not there\n", path.c_str());
    return "";
}

}  // namespace ouaf::graph::test
