// Products of matrices: Gemm, MatMul.
#include <array>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

namespace {

// y = alpha * A' * B' + beta * C, with A' and B' transposed where transA and transB say.
Kernel gemm(const Build& build) {
    const float alpha = build.attribute("alpha", 1.0f);
    const float beta = build.attribute("beta", 1.0f);
    const bool trans_a = build.attribute<std::int64_t>("transA", 0) != 0;
    const bool trans_b = build.attribute<std::int64_t>("transB", 0) != 0;
    const bool has_c = build.has_input(2);
    return [=](Run& run) {
        const at::Tensor a = trans_a ? run.inputs[0].t() : run.inputs[0];
        const at::Tensor b = trans_b ? run.inputs[1].t() : run.inputs[1];
        if (has_c) run.outputs[0] = at::addmm(run.inputs[2], a, b, beta, alpha);
        else run.outputs[0] = alpha == 1.0f ? at::mm(a, b) : at::mm(a, b) * alpha;
    };
}

Kernel matmul(const Build&) {
    return [](Run& run) { run.outputs[0] = at::matmul(run.inputs[0], run.inputs[1]); };
}

}  // namespace

std::span<const Op> linear_ops() {
    static constexpr std::array rows{
        // Before opset 7 Gemm broadcast by an attribute.
        Op{.name = "Gemm", .since = 7, .trainable = inputs(1, 2), .build = gemm},
        Op{.name = "MatMul", .trainable = inputs(0, 1), .build = matmul},
    };
    return rows;
}

}  // namespace ouaf::graph
