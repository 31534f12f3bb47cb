// Products of matrices: Gemm, MatMul, Einsum, Det.
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

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
    return [](Run& run) {
        In a = run.inputs[0];
        run.outputs[0] = at::matmul(widened(a), widened(run.inputs[1])).to(a.scalar_type());
    };
}

// Products of 8-bit integers less their zero points, as int32. A zero point is one number, or one for each row of
// the first matrix or column of the second.
Kernel matmul_integer(const Build&) {
    return [](Run& run) {
        const auto shifted = [&](std::size_t value, std::size_t zero, std::int64_t axis) {
            const at::Tensor x = run.inputs[value].to(at::kInt);
            if (!run.has_input(zero)) return x;
            const at::Tensor point = run.inputs[zero].to(at::kInt);
            return x - (point.dim() == 1 && point.size(0) > 1 ? point.unsqueeze(axis) : point);
        };
        run.outputs[0] = at::matmul(shifted(0, 2, 1), shifted(1, 3, 0));
    };
}

Kernel einsum(const Build& build) {
    return [equation = build.attribute<std::string>("equation", "")](Run& run) {
        run.outputs[0] = at::einsum(equation, at::TensorList(run.inputs.data(), run.inputs.size()));
    };
}

}  // namespace

std::span<const Op> linear_ops() {
    static constexpr std::array rows{
        // To opset 6 an attribute says that C broadcasts; the sizes say so too.
        Op{.name = "Gemm", .trainable = inputs(1, 2), .build = gemm},
        Op{.name = "MatMul", .trainable = inputs(0, 1), .build = matmul},
        Op{.name = "MatMulInteger", .since = 10, .build = matmul_integer},
        Op{.name = "Einsum", .since = 12, .trainable = ~0u, .build = einsum},
        Op{.name = "Det", .since = 11, .build = unary<[](In x) { return at::linalg_det(x); }>},
    };
    return rows;
}

}  // namespace ouaf::graph
