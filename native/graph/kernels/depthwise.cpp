// See depthwise.hpp.
#include "native/graph/kernels/depthwise.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <vector>

#include "native/graph/kernels/images.hpp"
#include "native/graph/kernels/shares.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t most_taps = 49;

struct Shape {
    std::int64_t channels, h, w, out_h, out_w, kernel_h, kernel_w;
    DepthwiseWindow window;
    std::int64_t taps() const { return kernel_h * kernel_w; }
    bool is_square(std::int64_t side) const { return kernel_h == side && kernel_w == side; }
};

// The part of the kernel, from first up to last, that lies inside the image where it starts at `start`.
struct Part {
    std::int64_t start, first, last;
    bool whole;
};

OUAF_INLINE void part_inside(std::int64_t start, std::int64_t kernel, std::int64_t size, Part& part) {
    part.start = start;
    part.first = start < 0 ? -start : 0;
    part.last = start + kernel > size ? size - start : kernel;
    part.whole = part.first == 0 && part.last == kernel;
}

// visit(pixel of the image, tap) for each tap inside. A kernel of known size, 0 for any other, stays in registers.
template <int known, class Visit>
OUAF_INLINE void each_tap(const Shape& shape, const Part& rows, const Part& columns, Visit visit) {
    const std::int64_t corner = rows.start * shape.w + columns.start;
    if (known > 0 && rows.whole && columns.whole) {
#pragma GCC unroll 5
        for (int i = 0; i < known; ++i)
#pragma GCC unroll 5
            for (int j = 0; j < known; ++j) visit(corner + i * shape.w + j, i * known + j);
        return;
    }
    for (std::int64_t i = rows.first; i < rows.last; ++i)
        for (std::int64_t j = columns.first; j < columns.last; ++j)
            visit(corner + i * shape.w + j, i * shape.kernel_w + j);
}

// visit(pixel of the result, rows, columns) for all of them.
template <class Visit>
OUAF_INLINE void each_result(const Shape& shape, Visit visit) {
    Part rows;
    Part columns;
    for (std::int64_t row = 0; row < shape.out_h; ++row) {
        part_inside(row * shape.window.stride[0] - shape.window.before[0], shape.kernel_h, shape.h, rows);
        for (std::int64_t column = 0; column < shape.out_w; ++column) {
            part_inside(column * shape.window.stride[1] - shape.window.before[1], shape.kernel_w, shape.w, columns);
            visit(row * shape.out_w + column, rows, columns);
        }
    }
}

template <int known>
constexpr int taps_of = known > 0 ? known* known : most_taps;

// One image and sixteen channels, from x and y on; weight [taps, channels] float32.
template <int known, class T>
OUAF_INLINE void forward(const Shape& shape, const T* x, const float* weight, const float* bias, T* y) {
    Floats taps[taps_of<known>];
    Floats offset{};
    if (bias) load(bias, offset);
    for (std::int64_t tap = 0; tap < shape.taps(); ++tap) load(weight + tap * shape.channels, taps[tap]);
    each_result(shape, [&](std::int64_t result, const Part& rows, const Part& columns) OUAF_INLINE_LAMBDA {
        Floats sum = offset;
        each_tap<known>(shape, rows, columns, [&](std::int64_t pixel, std::int64_t tap) OUAF_INLINE_LAMBDA {
            Floats value;
            load(x + pixel * shape.channels, value);
            sum += value * taps[tap];
        });
        store(y + result * shape.channels, sum);
    });
}

// Adds to dx, float32 [h, w, lanes], and to dweight [taps].
template <int known, class T>
OUAF_INLINE void backward(const Shape& shape, const T* x, const float* weight, const T* dy, float* dx,
                          Floats* dweight) {
    Floats taps[taps_of<known>];
    Floats sums[taps_of<known>];
    for (std::int64_t tap = 0; tap < shape.taps(); ++tap) {
        load(weight + tap * shape.channels, taps[tap]);
        sums[tap] = Floats{};
    }
    each_result(shape, [&](std::int64_t result, const Part& rows, const Part& columns) OUAF_INLINE_LAMBDA {
        Floats upstream;
        load(dy + result * shape.channels, upstream);
        each_tap<known>(shape, rows, columns, [&](std::int64_t pixel, std::int64_t tap) OUAF_INLINE_LAMBDA {
            Floats value;
            Floats gradient;
            load(x + pixel * shape.channels, value);
            load(dx + pixel * lanes, gradient);
            sums[tap] += upstream * value;
            store(dx + pixel * lanes, gradient + upstream * taps[tap]);
        });
    });
    for (std::int64_t tap = 0; tap < shape.taps(); ++tap) dweight[tap] = sums[tap];
}

template <class T>
struct Job {
    Shape shape;
    const T* x;
    const float* weight;  // [taps, channels]
    const float* bias;    // or nullptr
    T* y;
    const T* dy;
    T* dx;
};

// Blocks of sixteen channels, counted through all images.
template <class T>
OUAF_INLINE void forward_blocks(const Job<T>& job, Range range) {
    const Shape& shape = job.shape;
    const std::int64_t blocks = shape.channels / lanes;
    for (std::int64_t block = range.begin; block < range.end; ++block) {
        const std::int64_t image = block / blocks;
        const std::int64_t c = block % blocks * lanes;
        const T* x = job.x + image * shape.h * shape.w * shape.channels + c;
        T* y = job.y + image * shape.out_h * shape.out_w * shape.channels + c;
        const float* bias = job.bias ? job.bias + c : nullptr;
        if (shape.is_square(3)) forward<3>(shape, x, job.weight + c, bias, y);
        else if (shape.is_square(5)) forward<5>(shape, x, job.weight + c, bias, y);
        else forward<0>(shape, x, job.weight + c, bias, y);
    }
}

// dx_block: [h, w, lanes]; dweight: [taps, channels], added to.
template <class T>
OUAF_INLINE void backward_blocks(const Job<T>& job, Range range, float* dx_block, double* dweight) {
    const Shape& shape = job.shape;
    const std::int64_t blocks = shape.channels / lanes;
    const std::int64_t pixels = shape.h * shape.w;
    for (std::int64_t block = range.begin; block < range.end; ++block) {
        const std::int64_t image = block / blocks;
        const std::int64_t c = block % blocks * lanes;
        const std::int64_t from = image * pixels * shape.channels + c;
        std::memset(dx_block, 0, static_cast<std::size_t>(pixels * lanes) * sizeof(float));
        const T* dy = job.dy + image * shape.out_h * shape.out_w * shape.channels + c;
        Floats sums[most_taps];
        if (shape.is_square(3)) backward<3>(shape, job.x + from, job.weight + c, dy, dx_block, sums);
        else if (shape.is_square(5)) backward<5>(shape, job.x + from, job.weight + c, dy, dx_block, sums);
        else backward<0>(shape, job.x + from, job.weight + c, dy, dx_block, sums);
        for (std::int64_t tap = 0; tap < shape.taps(); ++tap) add_to(dweight + tap * shape.channels + c, sums[tap]);
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
            Floats gradient;
            load(dx_block + pixel * lanes, gradient);
            store(job.dx + from + pixel * shape.channels, gradient);
        }
    }
}

OUAF_EACH_PROCESSOR void forward_of(const Job<float>& job, Range blocks) { forward_blocks(job, blocks); }
OUAF_EACH_PROCESSOR void forward_of(const Job<c10::BFloat16>& job, Range blocks) { forward_blocks(job, blocks); }
OUAF_EACH_PROCESSOR void backward_of(const Job<float>& job, Range blocks, float* dx_block, double* dweight) {
    backward_blocks(job, blocks, dx_block, dweight);
}
OUAF_EACH_PROCESSOR void backward_of(const Job<c10::BFloat16>& job, Range blocks, float* dx_block, double* dweight) {
    backward_blocks(job, blocks, dx_block, dweight);
}

Shape shape_of(const at::Tensor& x, const at::Tensor& weight, const DepthwiseWindow& window) {
    Shape shape{x.size(1), x.size(2), x.size(3), 0, 0, weight.size(2), weight.size(3), window};
    shape.out_h = (shape.h + window.before[0] + window.after[0] - shape.kernel_h) / window.stride[0] + 1;
    shape.out_w = (shape.w + window.before[1] + window.after[1] - shape.kernel_w) / window.stride[1] + 1;
    return shape;
}

// [channels, 1, kh, kw] -> [taps, channels] float32
at::Tensor by_taps(const at::Tensor& weight) {
    return weight.detach().reshape({weight.size(0), -1}).t().to(at::kFloat).contiguous();
}

struct ConvolveDepthwise : torch::autograd::Function<ConvolveDepthwise> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, std::vector<std::int64_t> numbers) {
        const Shape shape = shape_of(x, weight, window_of(numbers));
        at::Tensor y = at::empty({x.size(0), shape.channels, shape.out_h, shape.out_w},
                                 x.options().memory_format(at::MemoryFormat::ChannelsLast));
        const at::Tensor taps = by_taps(weight);
        const at::Tensor offset = bias ? bias->detach().to(at::kFloat).contiguous() : at::Tensor();
        with_type(x, [&](auto type) {
            using T = decltype(type);
            const Job<T> job{shape,   elements<T>(x), elements<float>(taps), elements<float>(offset), writable<T>(y),
                             nullptr, nullptr};
            at::parallel_for(0, x.size(0) * (shape.channels / lanes), 1, [&](std::int64_t begin, std::int64_t end) {
                forward_of(job, {begin, end});
            });
        });
        context->save_for_backward({x, weight});
        context->saved_data["window"] = numbers;
        if (bias) context->saved_data["bias"] = bias->scalar_type();
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor& weight = saved[1];
        const Shape shape = shape_of(x, weight, window_of(context->saved_data["window"].toIntVector()));
        const at::Tensor dy = as_images(gradients[0].to(x.scalar_type()));
        const at::Tensor taps = by_taps(weight);
        at::Tensor dx = at::empty_like(x);
        std::vector<double> sums = with_type(x, [&](auto type) {
            using T = decltype(type);
            const Job<T> job{shape,   elements<T>(x),  elements<float>(taps), nullptr,
                             nullptr, elements<T>(dy), writable<T>(dx)};
            return summed(x.size(0) * (shape.channels / lanes), shape.taps() * shape.channels,
                          [&](Range blocks, double* part) {
                              std::vector<float> dx_block(static_cast<std::size_t>(shape.h * shape.w * lanes));
                              backward_of(job, blocks, dx_block.data(), part);
                          });
        });
        const at::Tensor dweight = at::from_blob(sums.data(), {shape.taps(), shape.channels}, at::kDouble)
                                       .t()
                                       .to(weight.scalar_type(), false, true)
                                       .reshape(weight.sizes());
        at::Tensor dbias;
        if (const auto type = context->saved_data.find("bias"); type != context->saved_data.end())
            dbias = dy.sum({0, 2, 3}, false, at::kFloat).to(type->second.toScalarType());
        return {dx, dweight, dbias, {}};
    }

    static DepthwiseWindow window_of(const std::vector<std::int64_t>& numbers) {
        return {{numbers[0], numbers[1]}, {numbers[2], numbers[3]}, {numbers[4], numbers[5]}};
    }
};

}  // namespace

bool can_convolve_depthwise(const at::Tensor& x, const at::Tensor& weight) {
    return are_lane_images(x) && weight.dim() == 4 && weight.size(0) == x.size(1) && weight.size(1) == 1 &&
           weight.size(2) * weight.size(3) <= most_taps && weight.scalar_type() == x.scalar_type();
}

at::Tensor convolve_depthwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const DepthwiseWindow& window) {
    return ConvolveDepthwise::apply(x, weight, bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt,
                                    std::vector<std::int64_t>{window.stride[0], window.stride[1], window.before[0],
                                                              window.before[1], window.after[0], window.after[1]});
}

}  // namespace ouaf::graph
