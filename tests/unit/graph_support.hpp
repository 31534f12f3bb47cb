// Small graphs for tests, and ONNX Runtime as the reference that shares no code with native/graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"
#include "native/onnxruntime/session.hpp"

namespace ouaf::graph::test {

// A graph with one float32 input 'x' and one output 'y' of unknown shape.
Graph make_graph(const Dims& input, std::vector<Node> nodes, std::map<std::string, Tensor> constants,
                 std::int64_t opset = 13);

// Reproducible values between -1 and 1; another seed, other values.
Tensor noise(const Dims& dims, std::uint32_t seed = 1);
Tensor floats(const Dims& dims, const std::vector<float>& values);
Tensor integers(const std::vector<std::int64_t>& values);  // one dimension
Tensor number(float value);                                // a scalar

using Result = onnxruntime::Output;
using onnxruntime::relative_difference;

// The first output by ONNX Runtime. Weights behind DequantizeLinear are computed in float32.
Result run_onnxruntime(const Graph& graph, const Tensor& input);
Result run_onnxruntime(const std::string& bytes, const std::string& input_name, const std::string& output_name,
                       const Tensor& input);

// The file under ../shared, or "" after a printed line that says the test is skipped.
std::string shared_file(const std::string& name);

// What the call throws, or "" where it does not.
template <class Call>
std::string error_of(Call&& call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

}  // namespace ouaf::graph::test
