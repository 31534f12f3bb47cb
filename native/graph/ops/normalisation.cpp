// Normalisations over batches, layers, groups, images and channels, and Dropout.
#include <array>
#include <numeric>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, each [channels]. The running statistics are used, never
// changed, also while gradients are recorded. With training_mode 1 the batch's own statistics are used, and the
// running ones come out as further outputs: running * momentum + batch * (1 - momentum).
Kernel batch_normalisation(const Build& build) {
    const double epsilon = build.attribute("epsilon", 1e-5f);
    const double momentum = build.attribute("momentum", 0.9f);
    const bool training = build.attribute<std::int64_t>("training_mode", 0) != 0;
    if (build.attribute<std::int64_t>("spatial", 1) == 0) build.unsupported("spatial 0 is not supported");
    for (std::size_t i = 1; i < build.node.outputs.size() && !training; ++i)
        if (!build.node.outputs[i].empty())
            build.unsupported("only the first output is supported; export in evaluation mode");
    return [epsilon, momentum, training](Run& run) {
        In x = run.inputs[0];
        if (!training) {
            // Statistics that the graph computes (Keras 2 writes its layer normalisation so) are differentiated too.
            if (run.gradients && (run.inputs[3].requires_grad() || run.inputs[4].requires_grad())) {
                Numbers channels(static_cast<std::size_t>(x.dim()), 1);
                channels[1] = -1;
                const at::Tensor scale = run.inputs[1] * at::rsqrt(run.inputs[4] + epsilon);
                const at::Tensor shift = run.inputs[2] - run.inputs[3] * scale;
                run.outputs[0] = x * scale.reshape(channels) + shift.reshape(channels);
                return;
            }
            run.outputs[0] =
                at::batch_norm(x, run.inputs[1], run.inputs[2], run.inputs[3], run.inputs[4], false, 0, epsilon, false);
            return;
        }
        Numbers axes(static_cast<std::size_t>(x.dim()) - 1);
        std::iota(axes.begin(), axes.end(), 1);
        axes[0] = 0;
        const std::array batch{x.mean(axes), at::var(x, axes, /*unbiased=*/false)};
        run.outputs[0] = at::batch_norm(x, run.inputs[1], run.inputs[2], batch[0], batch[1], false, 0, epsilon, false);
        for (std::size_t i = 1; i < 3 && i < run.outputs.size(); ++i)
            run.outputs[i] = run.inputs[i + 2] * momentum + batch[i - 1] * (1 - momentum);
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
        const Numbers pads{0, 0, (size - 1) / 2, size - 1 - (size - 1) / 2};
        const at::Tensor squares = (x * x).reshape({x.size(0), 1, x.size(1), -1});
        const at::Tensor mean = at::avg_pool2d(at::constant_pad_nd(squares, pads), {size, 1}, {1, 1});
        run.outputs[0] = x / at::pow(mean.reshape(x.sizes()) * alpha + bias, beta);
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

// Inference leaves everything in. A graph that asks for dropping has training_mode (an input from opset 12) and a
// ratio above 0; what it would drop is random.
Kernel dropout(const Build& build) {
    const bool has_mask = build.node.outputs.size() > 1 && !build.node.outputs[1].empty();
    return [has_mask](Run& run) {
        const bool training = run.has_input(2) && run.inputs[2].item<bool>();
        if (training && (!run.has_input(1) || run.inputs[1].item<double>() > 0))
            throw Unsupported("training_mode true is not supported; export the model in evaluation mode");
        run.outputs[0] = run.inputs[0];
        if (has_mask) run.outputs[1] = at::ones_like(run.inputs[0], at::TensorOptions().dtype(at::kBool));
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
