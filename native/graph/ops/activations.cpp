// Activations of one input.
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

// An activation with a form that overwrites its input where nobody else sees it.
template <auto function, auto in_place>
Kernel activation(const Build&) {
    return [](Run& run) {
        at::Tensor& x = run.inputs[0];
        run.outputs[0] = run.may_overwrite(0) ? in_place(x) : function(x);
    };
}

constexpr auto sigmoid =
    activation<[](const at::Tensor& x) { return at::sigmoid(x); }, [](at::Tensor& x) { return at::sigmoid_(x); }>;
constexpr auto tanh_activation =
    activation<[](const at::Tensor& x) { return at::tanh(x); }, [](at::Tensor& x) { return at::tanh_(x); }>;
constexpr auto silu =
    activation<[](const at::Tensor& x) { return at::silu(x); }, [](at::Tensor& x) { return at::silu_(x); }>;
// x * max(0, min(1, x / 6 + 1 / 2)) is hardswish exactly.
constexpr auto hard_swish =
    activation<[](const at::Tensor& x) { return at::hardswish(x); }, [](at::Tensor& x) { return at::hardswish_(x); }>;

// Its gradient needs only the result: also in training the result takes the input's place.
Kernel relu(const Build&) {
    return [](Run& run) {
        at::Tensor& x = run.inputs[0];
        run.outputs[0] = run.is_only_reference(0) ? at::relu_(x) : at::relu(x);
    };
}

Kernel leaky_relu(const Build& build) {
    const float slope = build.attribute("alpha", 0.01f);
    return [slope](Run& run) {
        at::Tensor& x = run.inputs[0];
        run.outputs[0] = run.may_overwrite(0) ? at::leaky_relu_(x, slope) : at::leaky_relu(x, slope);
    };
}

// max(0, min(1, alpha * x + beta)); the defaults are not those of LibTorch's hardsigmoid.
Kernel hard_sigmoid(const Build& build) {
    const float alpha = build.attribute("alpha", 0.2f);
    const float beta = build.attribute("beta", 0.5f);
    return [alpha, beta](Run& run) { run.outputs[0] = (run.inputs[0] * alpha + beta).clamp(0, 1); };
}

void clamp(Run& run, const std::optional<at::Scalar>& low, const std::optional<at::Scalar>& high) {
    // Bounds that cross give the upper one, as LibTorch's do.
    at::Tensor& x = run.inputs[0];
    const bool is_relu6_like = low && high && low->toDouble() < high->toDouble() && x.is_floating_point();
    if (!low && !high) run.outputs[0] = x;
    // ReLU6 as PyTorch has it: one pass for its gradient, which needs only the result, in place of clamp's five.
    else if (run.gradients && is_relu6_like)
        run.outputs[0] = run.is_only_reference(0) ? at::hardtanh_(x, *low, *high) : at::hardtanh(x, *low, *high);
    else run.outputs[0] = run.may_overwrite(0) ? at::clamp_(x, low, high) : at::clamp(x, low, high);
}

// To opset 10 the bounds are attributes.
Kernel clip_by_attributes(const Build& build) {
    const auto bound = [&](const char* name) {
        const float* value = find_attribute<float>(build.node, name);
        return value ? std::optional<at::Scalar>(*value) : std::nullopt;
    };
    return [low = bound("min"), high = bound("max")](Run& run) { clamp(run, low, high); };
}

// From opset 11 they are inputs; either may be left out.
Kernel clip(const Build& build) {
    const auto is_constant = [&](std::size_t i) { return !build.has_input(i) || build.constant(i); };
    if (!is_constant(1) || !is_constant(2)) {
        const bool has_low = build.has_input(1);
        const bool has_high = build.has_input(2);
        return [has_low, has_high](Run& run) {
            const auto bound = [&](std::size_t i, bool given) {
                return given ? std::optional<at::Scalar>(run.inputs[i].item()) : std::nullopt;
            };
            clamp(run, bound(1, has_low), bound(2, has_high));
        };
    }
    const auto bound = [&](std::size_t i) -> std::optional<at::Scalar> {
        const Tensor* constant = build.constant(i);
        if (!constant) return std::nullopt;
        // The specification wants a scalar; exporters also write [1].
        if (constant->count() != 1) build.fail("a bound is one number, not " + std::to_string(constant->count()));
        return is_floating(constant->dtype) ? at::Scalar(to_floats(*constant)[0]) : at::Scalar(to_int64s(*constant)[0]);
    };
    return [low = bound(1), high = bound(2)](Run& run) { clamp(run, low, high); };
}

// From opset 13 along one axis; before, over all axes from the given one on, taken as one.
template <auto function>
Kernel along_axis(const Build& build) {
    const bool flattens = build.opset < 13;
    const auto axis = build.attribute<std::int64_t>("axis", flattens ? 1 : -1);
    return [flattens, axis](Run& run) {
        const at::Tensor& x = run.inputs[0];
        if (!flattens) {
            run.outputs[0] = function(x, axis);
            return;
        }
        const auto first = axis < 0 ? axis + x.dim() : axis;
        std::int64_t rows = 1;
        for (std::int64_t i = 0; i < first; ++i) rows *= x.size(i);
        run.outputs[0] = function(x.reshape({rows, -1}), 1).reshape(x.sizes());
    };
}

constexpr auto softmax = along_axis<[](const at::Tensor& x, std::int64_t axis) { return at::softmax(x, axis); }>;
constexpr auto log_softmax =
    along_axis<[](const at::Tensor& x, std::int64_t axis) { return at::log_softmax(x, axis); }>;
// 1 at the first of the largest values, 0 elsewhere.
constexpr auto hardmax = along_axis<[](const at::Tensor& x, std::int64_t axis) {
    return at::zeros_like(x).scatter(axis, at::argmax(x, axis, true), 1);
}>;

Kernel elu(const Build& build) {
    return [alpha = build.attribute("alpha", 1.0f)](Run& run) { run.outputs[0] = at::elu(run.inputs[0], alpha); };
}

// gamma * (x for x > 0, alpha * (exp(x) - 1) below)
Kernel selu(const Build& build) {
    const float alpha = build.attribute("alpha", 1.67326319217681884765625f);
    const float gamma = build.attribute("gamma", 1.05070102214813232421875f);
    return [alpha, gamma](Run& run) { run.outputs[0] = at::elu(run.inputs[0], alpha, gamma); };
}

Kernel celu(const Build& build) {
    return [alpha = build.attribute("alpha", 1.0f)](Run& run) { run.outputs[0] = at::celu(run.inputs[0], alpha); };
}

Kernel thresholded_relu(const Build& build) {
    return
        [alpha = build.attribute("alpha", 1.0f)](Run& run) { run.outputs[0] = at::threshold(run.inputs[0], alpha, 0); };
}

Kernel shrink(const Build& build) {
    const float lambda = build.attribute("lambd", 0.5f);
    const float bias = build.attribute("bias", 0.0f);
    return [lambda, bias](Run& run) {
        const at::Tensor& x = run.inputs[0];
        const at::Tensor moved = at::where(x < -lambda, x + bias, at::where(x > lambda, x - bias, 0));
        run.outputs[0] = moved.to(x.scalar_type());
    };
}

Kernel gelu(const Build& build) {
    const auto form = build.attribute<std::string>("approximate", "none");
    if (form != "none" && form != "tanh") build.fail("approximate is '" + form + "'");
    return [form](Run& run) { run.outputs[0] = at::gelu(run.inputs[0], form); };
}

Kernel swish(const Build& build) {
    const float alpha = build.attribute("alpha", 1.0f);
    return [alpha](Run& run) {
        const at::Tensor& x = run.inputs[0];
        run.outputs[0] = alpha == 1.0f ? at::silu(x) : x * at::sigmoid(x * alpha);
    };
}

// log(1 + exp(x)), without LibTorch's threshold above which it is x.
at::Tensor softplus(const at::Tensor& x) { return at::logaddexp(x, at::zeros_like(x)); }
at::Tensor softsign(const at::Tensor& x) { return x / (x.abs() + 1); }

}  // namespace

std::span<const Op> activation_ops() {
    static constexpr std::array rows{
        Op{.name = "Sigmoid", .build = sigmoid},
        Op{.name = "Relu", .build = relu},
        Op{.name = "Tanh", .build = tanh_activation},
        Op{.name = "LeakyRelu", .build = leaky_relu},
        Op{.name = "HardSigmoid", .build = hard_sigmoid},
        Op{.name = "HardSwish", .since = 14, .build = hard_swish},
        Op{.name = "Clip", .until = 10, .build = clip_by_attributes},
        Op{.name = "Clip", .since = 11, .build = clip},
        Op{.name = "Softmax", .build = softmax},
        Op{.name = "LogSoftmax", .build = log_softmax},
        Op{.name = "Hardmax", .build = hardmax},
        Op{.name = "Elu", .since = 6, .build = elu},
        Op{.name = "Selu", .since = 6, .build = selu},
        Op{.name = "Celu", .since = 12, .build = celu},
        Op{.name = "ThresholdedRelu", .since = 10, .build = thresholded_relu},
        Op{.name = "Shrink", .since = 9, .build = shrink},
        Op{.name = "Gelu", .since = 20, .build = gelu},
        Op{.name = "Swish", .since = 24, .build = swish},
        Op{.name = "Mish", .since = 18, .build = unary<[](const at::Tensor& x) { return at::mish(x); }>},
        Op{.name = "Softplus", .build = unary<softplus>},
        Op{.name = "Softsign", .build = unary<softsign>},
        Op{.name = "Silu", .build = silu, .domain = "ouaf"},
        Op{.name = "Gelu", .build = gelu, .domain = "ouaf"},
    };
    return rows;
}

}  // namespace ouaf::graph
