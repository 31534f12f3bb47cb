// Normalisations over batches, layers, groups, images and channels, and Dropout.
#include <ATen/core/grad_mode.h>

#include <array>
#include <tuple>

#include "native/graph/ops/arguments.hpp"
#include "native/graph/ops/batch_norm.hpp"
#include "native/graph/ops/sync_batch_norm.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

// Half types: the kernels take scale and bias in float32 too, and then give the statistics in float32.
NormalisedShare normalise_batch(In x, In scale, In bias, double epsilon) {
    const bool narrow = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
    const auto type = narrow ? at::kFloat : x.scalar_type();
    const auto [y, mean, deviation, reserved, backend] = at::_batch_norm_impl_index(
        x, scale.to(type), bias.to(type), {}, {}, true, 0, epsilon, at::globalContext().userEnabledCuDNN());
    // The kernel gives 1 / sqrt(variance + epsilon): no second pass over x.
    return {y, {mean.detach(), (deviation.detach().pow(-2) - epsilon).clamp_min(0)}};
}

}  // namespace

// An evaluation export may have momentum 1, with which nothing would ever move (torch.onnx.export writes it whatever
// the network's is): training then takes 0.9, the default of ONNX and PyTorch.
void keep_statistics(Run& run, const at::Tensor& mean, const at::Tensor& variance, double momentum) {
    if (run.recomputed || run.inputs[0].numel() == 0) return;
    const at::NoGradGuard no_gradients;
    const double kept = momentum == 1 ? 0.9 : momentum;
    run.inputs[3].mul_(kept).add_(mean, 1 - kept);
    run.inputs[4].mul_(kept).add_(variance, 1 - kept);
}

namespace {

// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, each [channels]. In evaluation the running statistics are
// used, never changed, also while gradients are recorded. In training, and with training_mode 1, the batch's own are,
// and running * momentum + batch * (1 - momentum) goes into the running ones, or for training_mode 1 comes out.
Kernel batch_normalisation(const Build& build) {
    const double epsilon = build.attribute("epsilon", 1e-5f);
    const double momentum = build.attribute("momentum", 0.9f);
    const bool always = build.attribute<std::int64_t>("training_mode", 0) != 0;
    const bool has_running = build.constant(3) && build.constant(4);
    if (build.attribute<std::int64_t>("spatial", 1) == 0) build.unsupported("spatial 0 is not supported");
    for (std::size_t i = 1; i < build.node.outputs.size() && !always; ++i)
        if (!build.node.outputs[i].empty())
            build.unsupported("only the first output is supported; export in evaluation mode");
    return [=](Run& run) {
        In x = run.inputs[0];
        const bool trained = run.training && has_running && run.inputs[1].requires_grad();
        if (!trained && !always && (run.inputs[3].requires_grad() || run.inputs[4].requires_grad())) {
            // Statistics that other nodes compute, as in weight standardisation: gradients go through them.
            Numbers column(static_cast<std::size_t>(x.dim()), 1);
            column[1] = -1;
            const auto at_channels = [&](std::size_t i) { return run.inputs[i].reshape(column); };
            run.outputs[0] =
                (x - at_channels(3)) * at::rsqrt(at_channels(4) + epsilon) * at_channels(1) + at_channels(2);
            return;
        }
        if (!trained && !always) {
            run.outputs[0] =
                at::batch_norm(x, run.inputs[1], run.inputs[2], run.inputs[3], run.inputs[4], false, 0, epsilon, false);
            return;
        }
        if (x.dim() < 2) throw std::runtime_error("the input has no channels");
        const auto [y, batch] = run.shared_batch && trained
                                    ? normalise_share(x, run.inputs[1], run.inputs[2], epsilon, *run.shared_batch)
                                    : normalise_batch(x, run.inputs[1], run.inputs[2], epsilon);
        run.outputs[0] = y;
        for (std::size_t i = 1; i < 3 && i < run.outputs.size(); ++i)
            run.outputs[i] = run.inputs[i + 2] * momentum + batch[i - 1] * (1 - momentum);
        if (trained) keep_statistics(run, batch[0], batch[1], momentum);
    };
}

// Over all axes from `axis` on; scale and bias have those sizes, or broadcast to them. Half types are computed in
// float32, as stash_type says by default. Further outputs: mean and 1 / standard deviation.
Kernel layer_normalisation(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", -1);
    const double epsilon = build.attribute("epsilon", 1e-5f);
    return [axis, epsilon](Run& run) {
        In x = run.inputs[0];
        const auto sizes = x.sizes().slice(static_cast<std::size_t>(front_axis(axis, x.dim())));
        const bool plain = run.inputs[1].sizes() == sizes && (!run.has_input(2) || run.inputs[2].sizes() == sizes);
        const bool narrow = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
        const at::Tensor wide = narrow ? x.to(at::kFloat) : x;
        using Optional = std::optional<at::Tensor>;
        const auto parameter = [&](std::size_t i) -> Optional {
            return plain && run.has_input(i) ? Optional(run.inputs[i].to(wide.scalar_type())) : Optional();
        };
        auto [y, mean, deviation] = at::native_layer_norm(wide, sizes, parameter(1), parameter(2), epsilon);
        if (!plain) y = y * run.inputs[1];
        if (!plain && run.has_input(2)) y = y + run.inputs[2];
        run.outputs[0] = y.to(x.scalar_type());
        if (run.outputs.size() > 1) run.outputs[1] = mean;
        if (run.outputs.size() > 2) run.outputs[2] = deviation;
    };
}

// y = x / sqrt(mean of x^2 + epsilon) * scale, over all axes from `axis` on.
Kernel rms_normalisation(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", -1);
    const double epsilon = build.attribute("epsilon", 1e-5f);
    return [axis, epsilon](Run& run) {
        In x = run.inputs[0];
        const bool narrow = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
        const at::Tensor wide = narrow ? x.to(at::kFloat) : x;
        Numbers axes;
        for (std::int64_t i = front_axis(axis, x.dim()); i < x.dim(); ++i) axes.push_back(i);
        const at::Tensor normal = wide * at::rsqrt((wide * wide).mean(axes, true) + epsilon);
        run.outputs[0] = (normal.to(x.scalar_type()) * run.inputs[1]).to(run.inputs[1].scalar_type());
    };
}

// To opset 20 scale and bias are [groups], since [channels].
Kernel group_normalisation(const Build& build) {
    const auto groups = build.attribute<std::int64_t>("num_groups", 0);
    if (groups < 1) build.fail("num_groups is " + std::to_string(groups));
    const double epsilon = build.attribute("epsilon", 1e-5f);
    return [groups, epsilon, each_group = build.opset < 21](Run& run) {
        In x = run.inputs[0];
        const auto parameter = [&](std::size_t i) {
            return each_group ? run.inputs[i].repeat_interleave(x.size(1) / groups) : run.inputs[i];
        };
        run.outputs[0] = at::group_norm(x, groups, parameter(1), parameter(2), epsilon, false);
    };
}

Kernel instance_normalisation(const Build& build) {
    const double epsilon = build.attribute("epsilon", 1e-5f);
    return [epsilon](Run& run) {
        run.outputs[0] =
            at::instance_norm(run.inputs[0], run.inputs[1], run.inputs[2], {}, {}, true, 0, epsilon, false);
    };
}

// y = x / (bias + alpha / size * sum of the squares of the `size` channels around)^beta
Kernel local_response_normalisation(const Build& build) {
    const auto size = build.attribute<std::int64_t>("size", 0);
    if (size < 1 || size > (1 << 20)) build.fail("size is " + std::to_string(size));
    const double alpha = build.attribute("alpha", 1e-4f);
    const double beta = build.attribute("beta", 0.75f);
    const double bias = build.attribute("bias", 1.0f);
    return [=](Run& run) {
        In x = run.inputs[0];
        const std::int64_t channels = x.size(1);
        const std::int64_t before = std::min((size - 1) / 2, channels);  // further out there is nothing but zeros
        const std::int64_t after = std::min(size / 2, channels);
        const std::int64_t reach = before + 1 + after;
        const at::Tensor squares = (x * x).reshape({x.size(0), 1, channels, -1});
        const at::Tensor mean = at::avg_pool2d(at::constant_pad_nd(squares, {0, 0, before, after}), {reach, 1}, {1, 1});
        const double share = alpha * static_cast<double>(reach) / static_cast<double>(size);
        run.outputs[0] = x / at::pow(mean.reshape(x.sizes()) * share + bias, beta);
    };
}

// x over its p-norm along one axis; 0 where the norm is.
Kernel lp_normalisation(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", -1);
    const auto p = build.attribute<std::int64_t>("p", 2);
    if (p != 1 && p != 2) build.fail("p is " + std::to_string(p));
    return [axis, p](Run& run) {
        In x = run.inputs[0];
        const at::Tensor norm = p == 1 ? x.abs().sum({axis}, true) : at::sqrt((x * x).sum({axis}, true));
        run.outputs[0] = x / norm.masked_fill(norm == 0, 1);
    };
}

Kernel mean_variance_normalisation(const Build& build) {
    const auto axes = build.attribute<Numbers>("axes", {0, 2, 3});
    return [axes](Run& run) {
        In x = run.inputs[0];
        const at::Tensor centred = x - x.mean(axes, true);
        run.outputs[0] = centred / (at::sqrt((centred * centred).mean(axes, true)) + 1e-9);
    };
}

// In evaluation everything stays in. In training values are dropped with the node's ratio (an attribute to opset 11,
// then an input) and the others scaled up. training_mode, an input, asks for dropping at all times: what that drops is
// random, and a network in evaluation refuses it.
Kernel dropout(const Build& build) {
    const bool has_mask = build.node.outputs.size() > 1 && !build.node.outputs[1].empty();
    const Tensor* given = build.opset >= 12 ? build.constant(1) : nullptr;
    const bool computed = build.opset >= 12 && build.has_input(1) && !given;
    double ratio = build.opset < 12 ? build.attribute("ratio", 0.5f) : 0.5f;
    if (given && given->count() == 1) ratio = to_floats(*given)[0];
    return [=](Run& run) {
        In x = run.inputs[0];
        const double part = computed ? run.inputs[1].item<double>() : ratio;
        if (run.training && part > 0) {
            at::Tensor mask;
            std::tie(run.outputs[0], mask) = at::native_dropout(x, part, true);
            if (has_mask) run.outputs[1] = mask;
            return;
        }
        if (part > 0 && run.has_input(2) && run.inputs[2].item<bool>())
            throw Unsupported("training_mode true is not supported in evaluation; export the model in evaluation mode");
        run.outputs[0] = x;
        if (has_mask) run.outputs[1] = at::ones_like(x, at::TensorOptions().dtype(at::kBool));
    };
}

}  // namespace

std::span<const Op> normalisation_ops() {
    static constexpr std::array rows{
        // To opset 8 the attribute spatial = 0 asks for statistics of single activations.
        Op{.name = "BatchNormalization",
           .since = 6,
           .trainable = inputs(1, 2),
           .buffers = inputs(3, 4),
           .build = batch_normalisation},
        Op{.name = "LayerNormalization", .since = 17, .trainable = inputs(1, 2), .build = layer_normalisation},
        Op{.name = "RMSNormalization", .since = 23, .trainable = inputs(1), .build = rms_normalisation},
        Op{.name = "GroupNormalization", .since = 18, .trainable = inputs(1, 2), .build = group_normalisation},
        Op{.name = "InstanceNormalization", .since = 6, .trainable = inputs(1, 2), .build = instance_normalisation},
        Op{.name = "LRN", .build = local_response_normalisation},
        Op{.name = "LpNormalization", .build = lp_normalisation},
        Op{.name = "MeanVarianceNormalization", .since = 9, .build = mean_variance_normalisation},
        Op{.name = "Dropout", .since = 6, .build = dropout},
    };
    return rows;
}

}  // namespace ouaf::graph
