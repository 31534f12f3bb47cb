// See batch_norm.hpp. Rows are pixels, columns channels.
#include "native/graph/kernels/batch_norm.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "native/graph/kernels/images.hpp"

namespace ouaf::graph {

namespace {

// Memory is read along its rows, a few at a time so that a column's numbers are loaded once for all of them.
constexpr std::int64_t rows_at_once = 4;

// Sums in float32 go over this many rows and then into float64.
constexpr std::int64_t rows_of_a_sum = 256;

struct Range {
    std::int64_t begin;
    std::int64_t end;
};

// ---- Sums of x - shift and of its square, over rows

// visit(first row, number) for all rows, `number` of them at a time: rows_at_once or, at the end, one.
template <class Visit>
OUAF_INLINE void each_rows(Range rows, Visit visit) {
    std::int64_t row = rows.begin;
    for (; row + rows_at_once <= rows.end; row += rows_at_once)
        visit(row, std::integral_constant<std::int64_t, rows_at_once>{});
    for (; row < rows.end; ++row) visit(row, std::integral_constant<std::int64_t, 1>{});
}

// Adds two rows of float32 sums [2 * channels] to the float64 ones, and empties them.
OUAF_INLINE void flush(std::vector<float>& part, double* sums) {
    for (std::size_t c = 0; c < part.size(); c += lanes) {
        Floats sum;
        load(part.data() + c, sum);
        add_to(sums + c, sum);
        store(part.data() + c, Floats{});
    }
}

template <class T>
OUAF_INLINE void sum_columns(const T* x, const float* shift, Range rows, std::int64_t channels, double* sums) {
    std::vector<float> part(static_cast<std::size_t>(2 * channels));
    for (std::int64_t first = rows.begin; first < rows.end; first += rows_of_a_sum) {
        each_rows({first, std::min(first + rows_of_a_sum, rows.end)},
                  [&](std::int64_t row, auto number) OUAF_INLINE_LAMBDA {
                      for (std::int64_t c = 0; c < channels; c += lanes) {
                          Floats from;
                          Floats sum;
                          Floats squares;
                          load(shift + c, from);
                          load(part.data() + c, sum);
                          load(part.data() + channels + c, squares);
                          for (std::int64_t i = 0; i < number; ++i) {
                              Floats value;
                              load(x + (row + i) * channels + c, value);
                              value -= from;
                              sum += value;
                              squares += value * value;
                          }
                          store(part.data() + c, sum);
                          store(part.data() + channels + c, squares);
                      }
                  });
        flush(part, sums);
    }
}

OUAF_EACH_PROCESSOR void sum_columns_of(const float* x, const float* shift, Range rows, std::int64_t channels,
                                        double* sums) {
    sum_columns(x, shift, rows, channels, sums);
}
OUAF_EACH_PROCESSOR void sum_columns_of(const c10::BFloat16* x, const float* shift, Range rows, std::int64_t channels,
                                        double* sums) {
    sum_columns(x, shift, rows, channels, sums);
}

// ---- y = activation(x * factor + offset [+ residual])

template <class T>
struct Forward {
    const T* x;
    const T* residual;  // or nullptr
    const float* factor;
    const float* offset;
    T* y;
    T* pooled;            // [n, channels], or nullptr
    std::int64_t pixels;  // of an image
    std::int64_t channels;
};

template <Activation activation>
OUAF_INLINE void activate(Floats& z) {
    if constexpr (activation == Activation::relu) z = z > 0.0f ? z : Floats{};
    if constexpr (activation == Activation::silu) {
        Floats gate;
        sigmoid(z, gate);
        z *= gate;
    }
}

template <Activation activation, class T>
OUAF_INLINE void forward(const Forward<T>& job, Range images) {
    const std::int64_t channels = job.channels;
    std::vector<float> sums(static_cast<std::size_t>(channels));
    // Backwards: what was read last is still in the cache.
    for (std::int64_t image = images.end; image-- > images.begin;) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        each_rows({image * job.pixels, (image + 1) * job.pixels},
                  [&](std::int64_t row, auto number) OUAF_INLINE_LAMBDA {
                      for (std::int64_t c = 0; c < channels; c += lanes) {
                          Floats factor;
                          Floats offset;
                          Floats sum{};
                          load(job.factor + c, factor);
                          load(job.offset + c, offset);
                          for (std::int64_t i = 0; i < number; ++i) {
                              const std::int64_t at = (row + i) * channels + c;
                              Floats z;
                              load(job.x + at, z);
                              z = z * factor + offset;
                              if (job.residual) {
                                  Floats other;
                                  load(job.residual + at, other);
                                  z += other;
                              }
                              activate<activation>(z);
                              store(job.y + at, z);
                              sum += z;
                          }
                          if (!job.pooled) continue;
                          Floats before;
                          load(sums.data() + c, before);
                          store(sums.data() + c, before + sum);
                      }
                  });
        for (std::int64_t c = 0; c < channels && job.pooled; c += lanes) {
            Floats sum;
            load(sums.data() + c, sum);
            store(job.pooled + image * channels + c, sum / static_cast<float>(job.pixels));
        }
    }
}

template <class T>
OUAF_INLINE void forward_any(const Forward<T>& job, Activation activation, Range images) {
    if (activation == Activation::relu) forward<Activation::relu>(job, images);
    else if (activation == Activation::silu) forward<Activation::silu>(job, images);
    else forward<Activation::none>(job, images);
}

OUAF_EACH_PROCESSOR void forward_of(const Forward<float>& job, Activation activation, Range images) {
    forward_any(job, activation, images);
}
OUAF_EACH_PROCESSOR void forward_of(const Forward<c10::BFloat16>& job, Activation activation, Range images) {
    forward_any(job, activation, images);
}

// ---- The gradient. dz, that of what the activation gets, is the upstream gradient times the activation's slope. First
// the sums of dz and of dz * normal go over all rows, then dx = factor * (dz - mean dz - normal * mean(dz * normal)).

template <class T>
struct Backward {
    const T* x;
    const T* y;        // of ReLU
    const T* dy;       // or nullptr
    const T* dpooled;  // [n, channels], or nullptr
    const float* mean;
    const float* deviation;  // 1 / sqrt(variance + epsilon)
    const float* scale;
    const float* bias;
    T* dz;  // to be written by the first pass, or nullptr; may be dx
    T* dx;
    const float* mean_dz;  // the second pass'
    const float* mean_dz_normal;
    std::int64_t pixels;
    std::int64_t channels;
    float share_of_a_pixel;  // 1 / pixels
};

struct Column {
    Floats mean, deviation, scale, bias;
    Floats even;  // what the mean over an image hands to each of its pixels
};

template <class T>
OUAF_INLINE void load_column(const Backward<T>& job, std::int64_t image, std::int64_t c, Column& column) {
    load(job.mean + c, column.mean);
    load(job.deviation + c, column.deviation);
    load(job.scale + c, column.scale);
    load(job.bias + c, column.bias);
    column.even = Floats{};
    if (!job.dpooled) return;
    load(job.dpooled + image * job.channels + c, column.even);
    column.even *= job.share_of_a_pixel;
}

template <Activation activation, class T>
OUAF_INLINE void slope(const Backward<T>& job, const Column& column, std::int64_t at, Floats& normal, Floats& dz) {
    load(job.x + at, normal);
    normal = (normal - column.mean) * column.deviation;
    dz = column.even;
    if (job.dy) {
        Floats given;
        load(job.dy + at, given);
        dz += given;
    }
    if constexpr (activation == Activation::relu) {
        Floats y;
        load(job.y + at, y);
        dz = y > 0.0f ? dz : Floats{};
    }
    if constexpr (activation == Activation::silu) {
        const Floats z = normal * column.scale + column.bias;
        Floats gate;
        sigmoid(z, gate);
        dz *= gate * (1.0f + z * (1.0f - gate));
    }
}

template <Activation activation, class T>
OUAF_INLINE void sum_slopes(const Backward<T>& job, Range images, double* sums) {
    const std::int64_t channels = job.channels;
    std::vector<float> part(static_cast<std::size_t>(2 * channels));
    for (std::int64_t image = images.begin; image < images.end; ++image) {
        const std::int64_t end = (image + 1) * job.pixels;
        for (std::int64_t first = image * job.pixels; first < end; first += rows_of_a_sum) {
            each_rows({first, std::min(first + rows_of_a_sum, end)},
                      [&](std::int64_t row, auto number) OUAF_INLINE_LAMBDA {
                          for (std::int64_t c = 0; c < channels; c += lanes) {
                              Column column;
                              load_column(job, image, c, column);
                              Floats sum;
                              Floats sum_normal;
                              load(part.data() + c, sum);
                              load(part.data() + channels + c, sum_normal);
                              for (std::int64_t i = 0; i < number; ++i) {
                                  const std::int64_t at = (row + i) * channels + c;
                                  Floats normal;
                                  Floats dz;
                                  slope<activation>(job, column, at, normal, dz);
                                  sum += dz;
                                  sum_normal += dz * normal;
                                  if (job.dz) store(job.dz + at, dz);
                              }
                              store(part.data() + c, sum);
                              store(part.data() + channels + c, sum_normal);
                          }
                      });
            flush(part, sums);
        }
    }
}

template <Activation activation, class T>
OUAF_INLINE void write_slopes(const Backward<T>& job, Range images) {
    const std::int64_t channels = job.channels;
    for (std::int64_t image = images.end; image-- > images.begin;)
        each_rows({image * job.pixels, (image + 1) * job.pixels},
                  [&](std::int64_t row, auto number) OUAF_INLINE_LAMBDA {
                      for (std::int64_t c = 0; c < channels; c += lanes) {
                          Column column;
                          load_column(job, image, c, column);
                          Floats mean_dz;
                          Floats mean_dz_normal;
                          load(job.mean_dz + c, mean_dz);
                          load(job.mean_dz_normal + c, mean_dz_normal);
                          const Floats factor = column.scale * column.deviation;
                          for (std::int64_t i = 0; i < number; ++i) {
                              const std::int64_t at = (row + i) * channels + c;
                              Floats normal;
                              Floats dz;
                              slope<activation>(job, column, at, normal, dz);
                              store(job.dx + at, factor * (dz - mean_dz - normal * mean_dz_normal));
                          }
                      }
                  });
}

template <class T>
OUAF_INLINE void sum_any_slopes(const Backward<T>& job, Activation activation, Range images, double* sums) {
    if (activation == Activation::relu) sum_slopes<Activation::relu>(job, images, sums);
    else if (activation == Activation::silu) sum_slopes<Activation::silu>(job, images, sums);
    else sum_slopes<Activation::none>(job, images, sums);
}

template <class T>
OUAF_INLINE void write_any_slopes(const Backward<T>& job, Activation activation, Range images) {
    if (activation == Activation::relu) write_slopes<Activation::relu>(job, images);
    else if (activation == Activation::silu) write_slopes<Activation::silu>(job, images);
    else write_slopes<Activation::none>(job, images);
}

OUAF_EACH_PROCESSOR void sum_gradients(const Backward<float>& job, Activation activation, Range images, double* sums) {
    sum_any_slopes(job, activation, images, sums);
}
OUAF_EACH_PROCESSOR void sum_gradients(const Backward<c10::BFloat16>& job, Activation activation, Range images,
                                       double* sums) {
    sum_any_slopes(job, activation, images, sums);
}
OUAF_EACH_PROCESSOR void write_gradients(const Backward<float>& job, Activation activation, Range images) {
    write_any_slopes(job, activation, images);
}
OUAF_EACH_PROCESSOR void write_gradients(const Backward<c10::BFloat16>& job, Activation activation, Range images) {
    write_any_slopes(job, activation, images);
}

// function(range, sums) on every core's share of `count`; the sums [2 * channels] of all, in the shares' order, so that
// the same number of threads gives the same bits.
template <class Function>
std::vector<double> summed(std::int64_t count, std::int64_t channels, Function function) {
    const auto width = static_cast<std::size_t>(2 * channels);
    const std::int64_t shares = std::min<std::int64_t>(count, at::get_num_threads());
    std::vector<double> parts(static_cast<std::size_t>(shares) * width);
    at::parallel_for(0, shares, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t share = begin; share < end; ++share)
            function(Range{count * share / shares, count * (share + 1) / shares},
                     parts.data() + static_cast<std::size_t>(share) * width);
    });
    std::vector<double> sums(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(width));
    for (std::size_t i = width; i < parts.size(); ++i) sums[i % width] += parts[i];
    return sums;
}

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
        rows, channels, [&](Range range, double* part) { sum_columns_of(from, shift.data(), range, channels, part); });
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
            const Forward<T> job{elements<T>(x),          residual ? elements<T>(*residual) : nullptr,
                                 elements<float>(factor), elements<float>(offset),
                                 writable<T>(y),          writable<T>(means),
                                 x.size(2) * x.size(3),   channels};
            at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
                forward_of(job, kind, {begin, end});
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
            Backward<T> job{elements<T>(x),
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
            const auto sums = summed(x.size(0), channels,
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
