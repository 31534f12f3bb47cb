// ONNX Runtime as the judge of what this program writes: it shares no code with native/graph.
//
//     onnxruntime::Session session(serialise_onnx(graph));
//     auto logits = session.run({"input"}, {&images}, {"logits"}).at(0).values;
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::onnxruntime {

struct Output {
    graph::Dims dims;
    std::vector<float> values;
};

// One network on the CPU. Weights behind DequantizeLinear are turned to float32 once and computed in float32
// (session.disable_quant_qdq), as the page does. Threads: 2, fixed, so that sums have the same order everywhere.
class Session {
 public:
    // bytes: of an ONNX file without external data. Throws runtime_error with ONNX Runtime's own words.
    explicit Session(const std::string& bytes);
    Session(Session&&) noexcept;
    ~Session();

    // The outputs asked for, each float32, in their order; inputs of any numeric type but bfloat16. Throws as above,
    // and where an output is not float32.
    std::vector<Output> run(const std::vector<std::string>& input_names,
                            const std::vector<const graph::Tensor*>& inputs,
                            const std::vector<std::string>& output_names);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

// The largest |a - b| over the largest |b|: how logits are compared, where a value near zero carries the rounding
// of the large ones. Infinity where sizes differ, or NaN stands in one alone.
double relative_difference(std::span<const float> a, std::span<const float> b);

}  // namespace ouaf::onnxruntime
