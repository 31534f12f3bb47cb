// See batch_norm_rows.hpp.
#include "native/graph/kernels/batch_norm_rows.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "native/graph/kernels/lanes.hpp"

namespace ouaf::graph {

namespace {

// Memory is read along its rows, a few at a time so that a column's numbers are loaded once for all of them.
constexpr std::int64_t rows_at_once = 4;

// Sums in float32 go over this many rows and then into float64.
constexpr std::int64_t rows_of_a_sum = 256;

// visit(first row, number, first column) for sixteen columns of `number` rows, rows_at_once or at the end one, until
// all are done.
template <class Visit>
OUAF_INLINE void each_block(Range rows, std::int64_t channels, Visit visit) {
    std::int64_t row = rows.begin;
    for (; row + rows_at_once <= rows.end; row += rows_at_once)
        for (std::int64_t c = 0; c < channels; c += lanes)
            visit(row, std::integral_constant<std::int64_t, rows_at_once>{}, c);
    for (; row < rows.end; ++row)
        for (std::int64_t c = 0; c < channels; c += lanes) visit(row, std::integral_constant<std::int64_t, 1>{}, c);
}

// add(first row, number, first column, two vectors of sums) for all blocks of the rows, into sums [2, channels].
template <class Add>
OUAF_INLINE void sum_blocks(Range rows, std::int64_t channels, double* sums, Add add) {
    std::vector<float> part(static_cast<std::size_t>(2 * channels));
    for (std::int64_t first = rows.begin; first < rows.end; first += rows_of_a_sum) {
        std::fill(part.begin(), part.end(), 0.0f);
        each_block({first, std::min(first + rows_of_a_sum, rows.end)}, channels,
                   [&](std::int64_t row, auto number, std::int64_t c) OUAF_INLINE_LAMBDA {
                       Floats a;
                       Floats b;
                       load(part.data() + c, a);
                       load(part.data() + channels + c, b);
                       add(row, number, c, a, b);
                       store(part.data() + c, a);
                       store(part.data() + channels + c, b);
                   });
        for (std::int64_t c = 0; c < 2 * channels; c += lanes) {
            Floats sum;
            load(part.data() + c, sum);
            add_to(sums + c, sum);
        }
    }
}

template <class T>
OUAF_INLINE void sum_columns_of(const T* x, const float* shift, Range rows, std::int64_t channels, double* sums) {
    sum_blocks(rows, channels, sums,
               [&](std::int64_t row, auto number, std::int64_t c, Floats& sum, Floats& squares) OUAF_INLINE_LAMBDA {
                   Floats from;
                   load(shift + c, from);
                   for (std::int64_t i = 0; i < number; ++i) {
                       Floats value;
                       load(x + (row + i) * channels + c, value);
                       value -= from;
                       sum += value;
                       squares += value * value;
                   }
               });
}

template <Activation activation>
OUAF_INLINE void activate(Floats& z) {
    if constexpr (activation == Activation::relu) z = z > 0.0f ? z : Floats{};
    if constexpr (activation == Activation::silu) silu(z);
}

template <Activation activation, class T>
OUAF_INLINE void write_normalised_of(const BatchNormForward<T>& job, Range images) {
    const std::int64_t channels = job.channels;
    std::vector<float> sums(static_cast<std::size_t>(channels));
    // Backwards: what was read last is still in the cache.
    for (std::int64_t image = images.end; image-- > images.begin;) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        each_block({image * job.pixels, (image + 1) * job.pixels}, channels,
                   [&](std::int64_t row, auto number, std::int64_t c) OUAF_INLINE_LAMBDA {
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
                       if (!job.pooled) return;
                       Floats before;
                       load(sums.data() + c, before);
                       store(sums.data() + c, before + sum);
                   });
        for (std::int64_t c = 0; c < channels && job.pooled; c += lanes) {
            Floats sum;
            load(sums.data() + c, sum);
            store(job.pooled + image * channels + c, sum / static_cast<float>(job.pixels));
        }
    }
}

struct Column {
    Floats mean, deviation, scale, bias;
    Floats even;  // what the mean over an image hands to each of its pixels
};

template <class T>
OUAF_INLINE void load_column(const BatchNormBackward<T>& job, std::int64_t image, std::int64_t c, Column& column) {
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
OUAF_INLINE void slope(const BatchNormBackward<T>& job, const Column& column, std::int64_t at, Floats& normal,
                       Floats& dz) {
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
    if constexpr (activation == Activation::silu) silu_backward(normal * column.scale + column.bias, dz);
}

template <Activation activation, class T>
OUAF_INLINE void sum_gradients_of(const BatchNormBackward<T>& job, Range images, double* sums) {
    const std::int64_t channels = job.channels;
    for (std::int64_t image = images.begin; image < images.end; ++image)
        sum_blocks({image * job.pixels, (image + 1) * job.pixels}, channels, sums,
                   [&](std::int64_t row, auto number, std::int64_t c, Floats& sum, Floats& sum_normal)
                       OUAF_INLINE_LAMBDA {
                           Column column;
                           load_column(job, image, c, column);
                           for (std::int64_t i = 0; i < number; ++i) {
                               const std::int64_t at = (row + i) * channels + c;
                               Floats normal;
                               Floats dz;
                               slope<activation>(job, column, at, normal, dz);
                               sum += dz;
                               sum_normal += dz * normal;
                               if (job.dz) store(job.dz + at, dz);
                           }
                       });
}

template <Activation activation, class T>
OUAF_INLINE void write_gradients_of(const BatchNormBackward<T>& job, Range images) {
    const std::int64_t channels = job.channels;
    for (std::int64_t image = images.end; image-- > images.begin;)
        each_block({image * job.pixels, (image + 1) * job.pixels}, channels,
                   [&](std::int64_t row, auto number, std::int64_t c) OUAF_INLINE_LAMBDA {
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
                   });
}

// function.operator()<activation>() with the activation known while compiling.
template <class Function>
OUAF_INLINE void with_activation(Activation activation, Function function) {
    if (activation == Activation::relu) function.template operator()<Activation::relu>();
    else if (activation == Activation::silu) function.template operator()<Activation::silu>();
    else function.template operator()<Activation::none>();
}

template <class T>
OUAF_INLINE void write_normalised_any(const BatchNormForward<T>& job, Activation activation, Range images) {
    with_activation(activation,
                    [&]<Activation known>() OUAF_INLINE_LAMBDA { write_normalised_of<known>(job, images); });
}

template <class T>
OUAF_INLINE void sum_gradients_any(const BatchNormBackward<T>& job, Activation activation, Range images, double* sums) {
    with_activation(activation,
                    [&]<Activation known>() OUAF_INLINE_LAMBDA { sum_gradients_of<known>(job, images, sums); });
}

template <class T>
OUAF_INLINE void write_gradients_any(const BatchNormBackward<T>& job, Activation activation, Range images) {
    with_activation(activation, [&]<Activation known>() OUAF_INLINE_LAMBDA { write_gradients_of<known>(job, images); });
}

}  // namespace

OUAF_EACH_PROCESSOR void sum_columns(const float* x, const float* shift, Range rows, std::int64_t channels,
                                     double* sums) {
    sum_columns_of(x, shift, rows, channels, sums);
}
OUAF_EACH_PROCESSOR void sum_columns(const c10::BFloat16* x, const float* shift, Range rows, std::int64_t channels,
                                     double* sums) {
    sum_columns_of(x, shift, rows, channels, sums);
}

OUAF_EACH_PROCESSOR void write_normalised(const BatchNormForward<float>& job, Activation activation, Range images) {
    write_normalised_any(job, activation, images);
}
OUAF_EACH_PROCESSOR void write_normalised(const BatchNormForward<c10::BFloat16>& job, Activation activation,
                                          Range images) {
    write_normalised_any(job, activation, images);
}

OUAF_EACH_PROCESSOR void sum_gradients(const BatchNormBackward<float>& job, Activation activation, Range images,
                                       double* sums) {
    sum_gradients_any(job, activation, images, sums);
}
OUAF_EACH_PROCESSOR void sum_gradients(const BatchNormBackward<c10::BFloat16>& job, Activation activation, Range images,
                                       double* sums) {
    sum_gradients_any(job, activation, images, sums);
}

OUAF_EACH_PROCESSOR void write_gradients(const BatchNormBackward<float>& job, Activation activation, Range images) {
    write_gradients_any(job, activation, images);
}
OUAF_EACH_PROCESSOR void write_gradients(const BatchNormBackward<c10::BFloat16>& job, Activation activation,
                                         Range images) {
    write_gradients_any(job, activation, images);
}

}  // namespace ouaf::graph
