// See graph_support.hpp.
#include "tests/unit/graph_support.hpp"

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cmath>
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
    static const Ort::Env environment(ORT_LOGGING_LEVEL_ERROR, "tests");
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(2);
    options.AddConfigEntry("session.disable_quant_qdq", "1");
    Ort::Session session(environment, bytes.data(), bytes.size(), options);
    std::vector<float> values(input.values<float>().begin(), input.values<float>().end());
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const auto tensor =
        Ort::Value::CreateTensor<float>(memory, values.data(), values.size(), input.dims.data(), input.dims.size());
    const char* const in = input_name.c_str();
    const char* const out = output_name.c_str();
    const auto results = session.Run(Ort::RunOptions{nullptr}, &in, &tensor, 1, &out, 1);
    const auto info = results.at(0).GetTensorTypeAndShapeInfo();
    const float* first = results[0].GetTensorData<float>();
    return {info.GetShape(), {first, first + info.GetElementCount()}};
}

Result run_onnxruntime(const Graph& graph, const Tensor& input) {
    return run_onnxruntime(serialise_onnx(graph), graph.inputs.at(0).name, graph.outputs.at(0).name, input);
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0;
    double scale = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isnan(a[i]) != std::isnan(b[i])) return INFINITY;
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
        scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    }
    return difference == 0 ? 0 : difference / scale;
}

std::string shared_file(const std::string& name) {
    const auto path = std::filesystem::path(OUAF_SHARED_DIR) / name;
    if (std::filesystem::exists(path)) return path.string();
    std::printf("skipped: %s is not there\n", path.c_str());
    return "";
}

}  // namespace ouaf::graph::test
