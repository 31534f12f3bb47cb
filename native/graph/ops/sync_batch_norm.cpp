// See sync_batch_norm.hpp.
#include "native/graph/ops/sync_batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace ouaf::graph {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::vector<std::int64_t> all_but_channels(const at::Tensor& x) {
    std::vector<std::int64_t> axes{0};
    for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
    return axes;
}

at::Tensor at_channels(const at::Tensor& values, const at::Tensor& x) {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(x.dim()), 1);
    sizes[1] = -1;
    return values.reshape(sizes);
}

at::Tensor channel_sums(const at::Tensor& x) { return x.sum(all_but_channels(x), false, at::kDouble); }

// Of several [channels] tensors at once.
std::vector<at::Tensor> summed_over_processes(const std::vector<at::Tensor>& values, const SharedBatch& batch) {
    const at::Tensor flat = at::stack(values).to(at::kCPU, at::kDouble).contiguous();
    if (!batch.counts) flat.zero_();
    batch.sum(flat);
    return flat.to(values[0].device()).unbind(0);
}

// As PyTorch's tape can hold it.
struct HeldBatch : torch::CustomClassHolder {
    explicit HeldBatch(SharedBatch held) : batch(std::move(held)) {}
    SharedBatch batch;
};

struct NormaliseShare : torch::autograd::Function<NormaliseShare> {
    static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                                 const at::Tensor& bias, double epsilon, const SharedBatch& batch) {
        const at::Tensor wide = x.to(at::kFloat);
        const auto [own_variance, own_mean] = at::var_mean(wide, all_but_channels(x), 0, false);
        const double own_count = static_cast<double>(x.numel() / x.size(1));
        const at::Tensor own = own_mean.to(at::kDouble);
        const at::Tensor squares = own_variance.to(at::kDouble) + own.square();
        const auto sums =
            summed_over_processes({own * own_count, squares * own_count, at::full_like(own, own_count)}, batch);
        const at::Tensor mean = sums[0] / sums[2];
        const at::Tensor variance = (sums[1] / sums[2] - mean.square()).clamp_min(0);
        const at::Tensor deviation = at::rsqrt(variance + epsilon).to(at::kFloat);
        const at::Tensor normal = (wide - at_channels(mean.to(at::kFloat), x)) * at_channels(deviation, x);
        at::Tensor y = (normal * at_channels(scale, x) + at_channels(bias, x)).to(x.scalar_type());
        context->save_for_backward({normal, deviation, scale, sums[2]});
        context->saved_data["batch"] = c10::IValue::make_capsule(c10::make_intrusive<HeldBatch>(batch));
        const at::Tensor narrow_mean = mean.to(at::kFloat);
        const at::Tensor narrow_variance = variance.to(at::kFloat);
        context->mark_non_differentiable({narrow_mean, narrow_variance});
        return {std::move(y), narrow_mean, narrow_variance};
    }

    // dx = scale / deviation * (dy - mean(dy) - normal * mean(dy * normal)), means over the whole batch.
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& normal = saved[0];
        const auto held = c10::static_intrusive_pointer_cast<HeldBatch>(context->saved_data["batch"].toCapsule());
        const at::Tensor dy = gradients[0].to(at::kFloat);
        const at::Tensor of_bias = channel_sums(dy);
        const at::Tensor of_scale = channel_sums(dy * normal);
        const auto sums = summed_over_processes({of_bias, of_scale}, held->batch);
        if (!held->batch.counts)
            return {at::zeros_like(gradients[0]), of_scale.to(at::kFloat), of_bias.to(at::kFloat), {}, {}};
        const auto mean = [&](std::size_t i) { return at_channels((sums[i] / saved[3]).to(at::kFloat), normal); };
        const at::Tensor dx = at_channels(saved[2] * saved[1], normal) * (dy - mean(0) - normal * mean(1));
        return {dx.to(gradients[0].scalar_type()), of_scale.to(at::kFloat), of_bias.to(at::kFloat), {}, {}};
    }
};

}  // namespace

NormalisedShare normalise_share(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, double epsilon,
                                const SharedBatch& batch) {
    const variable_list results = NormaliseShare::apply(x, scale.to(at::kFloat), bias.to(at::kFloat), epsilon, batch);
    return {results[0], {results[1].detach(), results[2].detach()}};
}

}  // namespace ouaf::graph
