// See batch_norm.hpp.
#include "native/graph/kernels/batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "native/graph/kernels/batch_norm_rows.hpp"
#include "native/graph/kernels/images.hpp"

namespace ouaf::graph {

namespace {

struct Statistics {
    at::Tensor mean;
    at::Tensor variance;
};

template <class T>
Statistics statistics_of(const at::Tensor& x) {
    const std::int64_t channels = x.size(1);
    const std::int64_t rows = x.numel() / channels;
    const T* from = elements<T>(x);
    // Any pixel near the mean keeps the sum of squares from cancelling.
    std::vector<float> shift(from, from + channels);
    const auto sums = summed(
        rows, 2 * channels, [&](Range range, double* part) { sum_columns(from, shift.data(), range, channels, part); });
    Statistics statistics{at::empty({channels}, at::kFloat), at::empty({channels}, at::kFloat)};
    for (std::int64_t c = 0; c < channels; ++c) {
        const double mean = sums[static_cast<std::size_t>(c)] / static_cast<double>(rows);
        const double square = sums[static_cast<std::size_t>(channels + c)] / static_cast<double>(rows);
        writable<float>(statistics.mean)[c] =
            static_cast<float>(mean + static_cast<double>(shift[static_cast<std::size_t>(c)]));
        writable<float>(statistics.variance)[c] = static_cast<float>(std::max(square - mean * mean, 0.0));
    }
    return statistics;
}

struct NormaliseActivated : torch::autograd::Function<NormaliseActivated> {
    static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                                                  const at::Tensor& scale, const at::Tensor& bias,
                                                  const std::optional<at::Tensor>& residual, std::int64_t activation,
                                                  double epsilon, bool pooled) {
        const auto kind = static_cast<Activation>(activation);
        const std::int64_t channels = x.size(1);
        at::Tensor y = at::empty_like(x);
        at::Tensor means = pooled ? at::empty({x.size(0), channels, 1, 1}, x.options()) : at::Tensor();
        const Statistics statistics = with_type(x, [&](auto type) { return statistics_of<decltype(type)>(x); });
        const at::Tensor deviation = at::rsqrt(statistics.variance + epsilon);
        const at::Tensor factor = scale.detach() * deviation;
        const at::Tensor offset = bias.detach() - statistics.mean * factor;
        with_type(x, [&](auto type) {
            using T = decltype(type);
            const BatchNormForward<T> job{elements<T>(x),          residual ? elements<T>(*residual) : nullptr,
                                          elements<float>(factor), elements<float>(offset),
                                          writable<T>(y),          writable<T>(means),
                                          x.size(2) * x.size(3),   channels};
            at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
                write_normalised(job, kind, {begin, end});
            });
        });
        context->save_for_backward(
            {x, kind == Activation::relu ? y : at::Tensor(), statistics.mean, deviation, scale, bias});
        context->saved_data["activation"] = activation;
        context->saved_data["residual"] = residual.has_value();
        context->mark_non_differentiable({statistics.mean, statistics.variance});
        context->set_materialize_grads(false);
        if (!pooled) return {y, statistics.mean, statistics.variance};
        return {y, statistics.mean, statistics.variance, means};
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const auto kind = static_cast<Activation>(context->saved_data["activation"].toInt());
        const bool residual = context->saved_data["residual"].toBool();
        const std::int64_t channels = x.size(1);
        const std::int64_t rows = x.numel() / channels;
        const at::Tensor dy = gradients[0].defined() ? as_images(gradients[0].to(x.scalar_type())) : at::Tensor();
        const bool pooled = gradients.size() > 3 && gradients[3].defined();
        const at::Tensor dpooled = pooled ? gradients[3].to(x.scalar_type()).contiguous() : at::Tensor();
        // Without an activation the residual's gradient is the upstream one.
        const bool passes_on = residual && kind == Activation::none && dy.defined() && !pooled;
        at::Tensor dresidual = passes_on ? dy : residual ? at::empty_like(x) : at::Tensor();
        at::Tensor dx = at::empty_like(x);
        // dz is kept where it is the residual's gradient, and where computing it again costs more than reading it.
        std::optional<at::Tensor> first_pass_result;
        if (residual && !passes_on) first_pass_result = dresidual;
        else if (kind == Activation::silu) first_pass_result = dx;
        at::Tensor dscale = at::empty({channels}, at::kFloat);
        at::Tensor dbias = at::empty({channels}, at::kFloat);
        with_type(x, [&](auto type) {
            using T = decltype(type);
            BatchNormBackward<T> job{elements<T>(x),
                                     elements<T>(saved[1]),
                                     elements<T>(dy),
                                     elements<T>(dpooled),
                                     elements<float>(saved[2]),
                                     elements<float>(saved[3]),
                                     elements<float>(saved[4]),
                                     elements<float>(saved[5]),
                                     first_pass_result ? writable<T>(*first_pass_result) : nullptr,
                                     writable<T>(dx),
                                     nullptr,
                                     nullptr,
                                     x.size(2) * x.size(3),
                                     channels,
                                     1.0f / static_cast<float>(x.size(2) * x.size(3))};
            const auto sums = summed(x.size(0), 2 * channels,
                                     [&](Range images, double* part) { sum_gradients(job, kind, images, part); });
            std::vector<float> means(sums.size());
            for (std::size_t i = 0; i < sums.size(); ++i)
                means[i] = static_cast<float>(sums[i] / static_cast<double>(rows));
            for (std::int64_t c = 0; c < channels; ++c) {
                writable<float>(dbias)[c] = static_cast<float>(sums[static_cast<std::size_t>(c)]);
                writable<float>(dscale)[c] = static_cast<float>(sums[static_cast<std::size_t>(channels + c)]);
            }
            job.mean_dz = means.data();
            job.mean_dz_normal = means.data() + channels;
            // What the first pass wrote is dz itself.
            Activation left = kind;
            if (job.dz) {
                job.dy = job.dz;
                job.dpooled = nullptr;
                left = Activation::none;
            }
            at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
                write_gradients(job, left, {begin, end});
            });
        });
        return {dx, dscale, dbias, dresidual, {}, {}, {}};
    }
};

}  // namespace

bool can_normalise_activated(const at::Tensor& x, const at::Tensor& residual) {
    return are_lane_images(x) && (!residual.defined() || (are_lane_images(residual) && residual.sizes() == x.sizes() &&
                                                          residual.scalar_type() == x.scalar_type()));
}

NormalisedBatch normalise_activated(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias,
                                    const at::Tensor& residual, Activation activation, double epsilon, bool pooled) {
    const auto results = NormaliseActivated::apply(
        x, scale, bias, residual.defined() ? std::optional<at::Tensor>(residual) : std::nullopt,
        static_cast<std::int64_t>(activation), epsilon, pooled);
    return {results[0], results[1], results[2], pooled ? results[3] : at::Tensor()};
}

}  // namespace ouaf::graph
