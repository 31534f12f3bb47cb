// Pools over windows and over whole images, MaxPool undone, and windows put together (Col2Im).
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "native/graph/ops/arguments.hpp"
#include "native/graph/ops/window.hpp"

namespace ouaf::graph {

namespace {

// All spatial axes, kept with size 1.
std::vector<std::int64_t> spatial_axes(const at::Tensor& x) {
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
    return axes;
}

Kernel global_average_pool(const Build&) {
    return [](Run& run) { run.outputs[0] = run.inputs[0].mean(spatial_axes(run.inputs[0]), true); };
}

Kernel global_max_pool(const Build&) {
    return [](Run& run) { run.outputs[0] = at::amax(run.inputs[0], spatial_axes(run.inputs[0]), true); };
}

struct Pool {
    Window window;
    bool ceil_mode = false;

    // before and after so that the windows fill the padded input exactly: with ceil_mode the padding after
    // grows to hold the last window, unless that window would begin in the padding (then it is left out).
    void paddings(const at::Tensor& x, std::vector<std::int64_t>& before, std::vector<std::int64_t>& after) const {
        window.paddings(x, before, after);
        if (!ceil_mode) return;
        for (std::size_t axis = 0; axis < before.size(); ++axis) {
            const std::int64_t size = x.size(static_cast<std::int64_t>(axis) + 2);
            const std::int64_t stride = window.strides[axis];
            const std::int64_t reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
            const std::int64_t span = size + before[axis] + after[axis] - reach;
            std::int64_t steps = (std::max<std::int64_t>(span, 0) + stride - 1) / stride;
            if (steps * stride >= size + before[axis]) --steps;
            after[axis] = std::max(after[axis], steps * stride + reach - size - before[axis]);
        }
    }
};

Pool read_pool(const Build& build) {
    const auto kernel = build.attribute<std::vector<std::int64_t>>("kernel_shape", {});
    return {read_window(build, kernel), build.attribute<std::int64_t>("ceil_mode", 0) != 0};
}

// LibTorch counts a maximum's place within its own padded plane; ONNX counts over the whole tensor, with the last
// axis running fastest or, with storage_order 1, the first spatial one.
at::Tensor whole_places(at::Tensor place, at::IntArrayRef input, at::IntArrayRef padded_to, const Numbers& before,
                        bool column_major) {
    const auto axes = static_cast<std::int64_t>(before.size());
    std::vector<at::Tensor> along(before.size());
    for (std::int64_t axis = axes; axis-- > 0;) {
        const auto index = static_cast<std::size_t>(axis);
        along[index] = at::remainder(place, padded_to[index + 2]) - before[index];
        place = at::div(place, padded_to[index + 2], "floor");
    }
    at::Tensor whole = at::arange(input[0] * input[1], place.options());
    Numbers planes(static_cast<std::size_t>(axes) + 2, 1);
    planes[0] = input[0];
    planes[1] = input[1];
    whole = whole.reshape(planes);
    for (std::int64_t i = 0; i < axes; ++i) {
        const auto axis = static_cast<std::size_t>(column_major ? axes - 1 - i : i);
        whole = whole * input[axis + 2] + along[axis];
    }
    return whole;
}

Kernel max_pool(const Build& build) {
    const bool wants_places = build.node.outputs.size() > 1 && !build.node.outputs[1].empty();
    const bool column_major = build.attribute<std::int64_t>("storage_order", 0) != 0;
    const Pool pool = read_pool(build);
    return [pool, wants_places, column_major](Run& run) {
        Numbers before;
        Numbers after;
        pool.paddings(run.inputs[0], before, after);
        const Window& window = pool.window;
        const auto type = run.inputs[0].scalar_type();
        const Numbers sizes = run.inputs[0].sizes().vec();
        at::Tensor x = at::isIntegralType(type, false) ? run.inputs[0].to(at::kDouble) : run.inputs[0];
        const bool halves = std::equal(before.begin(), before.end(), window.kernel.begin(),
                                       [](std::int64_t pad, std::int64_t size) { return pad <= size / 2; });
        Numbers cut = before;  // by how much LibTorch's places are off
        if (before != after || !halves || (wants_places && before != Numbers(before.size(), 0))) {
            x = padded(x, before, after, -std::numeric_limits<double>::infinity());
            before.assign(before.size(), 0);
        }
        at::Tensor y;
        at::Tensor place;
        const auto& [kernel, strides, dilations] = std::tie(window.kernel, window.strides, window.dilations);
        if (!wants_places) {
            switch (before.size()) {
                case 1: y = at::max_pool1d(x, kernel, strides, before, dilations); break;
                case 2: y = at::max_pool2d(x, kernel, strides, before, dilations); break;
                default: y = at::max_pool3d(x, kernel, strides, before, dilations);
            }
        } else {
            switch (before.size()) {
                case 1: std::tie(y, place) = at::max_pool1d_with_indices(x, kernel, strides, before, dilations); break;
                case 2: std::tie(y, place) = at::max_pool2d_with_indices(x, kernel, strides, before, dilations); break;
                default: std::tie(y, place) = at::max_pool3d_with_indices(x, kernel, strides, before, dilations);
            }
            run.outputs[1] = whole_places(place, sizes, x.sizes(), cut, column_major);
        }
        run.outputs[0] = y.to(type);
    };
}

// Values back to the places that MaxPool gave, zeros elsewhere. Places count over the unpooled tensor.
Kernel max_unpool(const Build& build) {
    const Window window = read_pool(build).window;
    return [window, shape_of = numbers(build, "", 2)](Run& run) {
        const at::Tensor& x = run.inputs[0];
        check_rank(x, static_cast<std::int64_t>(window.kernel.size()) + 2, "the input");
        const Numbers asked = shape_of(run);
        Numbers sizes = x.sizes().vec();
        for (std::size_t axis = 0; axis < window.kernel.size(); ++axis)
            sizes[axis + 2] = (sizes[axis + 2] - 1) * window.strides[axis] + window.kernel[axis] - window.begin[axis] -
                              window.end[axis];
        check_size(run, sizes);
        check_size(run, asked);
        at::Tensor y = at::zeros({element_count(sizes)}, x.options())
                           .scatter(0, run.inputs[1].reshape(-1), x.reshape(-1))
                           .reshape(sizes);
        Numbers around;  // a larger shape that was asked for has zeros after
        for (std::size_t axis = sizes.size(); axis-- > 0 && !asked.empty();) {
            around.push_back(0);
            around.push_back(asked.at(axis) - sizes[axis]);
        }
        run.outputs[0] = asked.empty() ? y : at::constant_pad_nd(y, around);
    };
}

// A convolution with ones, plane by plane.
at::Tensor window_sum(const at::Tensor& x, const Window& window) {
    Numbers kernel{1, 1};
    kernel.insert(kernel.end(), window.kernel.begin(), window.kernel.end());
    Numbers planes{x.size(0) * x.size(1), 1};
    planes.insert(planes.end(), x.sizes().begin() + 2, x.sizes().end());
    const Numbers none(window.kernel.size(), 0);
    const at::Tensor sums = at::convolution(x.reshape(planes), at::ones(kernel, x.options().requires_grad(false)), {},
                                            window.strides, none, window.dilations, false, none, 1);
    Numbers sizes = sums.sizes().vec();
    sizes[0] = x.size(0);
    sizes[1] = x.size(1);
    return sums.reshape(sizes);
}

at::Tensor window_mean(const at::Tensor& x, const Window& window) {
    if (std::any_of(window.dilations.begin(), window.dilations.end(), [](auto d) { return d != 1; }))
        return window_sum(x, window) / static_cast<double>(element_count(window.kernel));
    switch (window.kernel.size()) {
        case 1: return at::avg_pool1d(x, window.kernel, window.strides);
        case 2: return at::avg_pool2d(x, window.kernel, window.strides);
        default: return at::avg_pool3d(x, window.kernel, window.strides);
    }
}

Kernel average_pool(const Build& build) {
    const Pool pool = read_pool(build);
    const bool counts_padding = build.attribute<std::int64_t>("count_include_pad", 0) != 0;
    return [pool, counts_padding](Run& run) {
        const at::Tensor& x = run.inputs[0];
        std::vector<std::int64_t> before;
        std::vector<std::int64_t> after;
        pool.paddings(x, before, after);
        const auto none = std::vector<std::int64_t>(before.size(), 0);
        if (before == none && after == none) {
            run.outputs[0] = window_mean(x, pool.window);
            return;
        }
        // The mean over the window with zeros around, divided by the share of the window that counts. Padding
        // that only ceil_mode adds never counts.
        std::vector<std::int64_t> asked_before;
        std::vector<std::int64_t> asked_after;
        pool.window.paddings(x, asked_before, asked_after);
        std::vector<std::int64_t> shape(x.sizes().begin(), x.sizes().end());
        shape[0] = shape[1] = 1;
        at::Tensor counted = at::ones(shape, x.options().requires_grad(false));
        if (counts_padding) {
            counted = padded(counted, asked_before, asked_after, 1);
            for (std::size_t axis = 0; axis < after.size(); ++axis) after[axis] -= asked_after[axis];
            counted = padded(counted, none, after, 0);
            for (std::size_t axis = 0; axis < after.size(); ++axis) after[axis] += asked_after[axis];
        } else {
            counted = padded(counted, before, after, 0);
        }
        run.outputs[0] = window_mean(padded(x, before, after, 0), pool.window) / window_mean(counted, pool.window);
    };
}

// The p-norm of each window; padding counts as zeros.
Kernel lp_pool(const Build& build) {
    const Pool pool = read_pool(build);
    const auto p = static_cast<double>(build.attribute<std::int64_t>("p", 2));
    return [pool, p](Run& run) {
        const at::Tensor& x = run.inputs[0];
        Numbers before;
        Numbers after;
        pool.paddings(x, before, after);
        run.outputs[0] = at::pow(window_sum(padded(at::pow(x.abs(), p), before, after, 0), pool.window), 1 / p);
    };
}

Kernel global_lp_pool(const Build& build) {
    const auto p = static_cast<double>(build.attribute<std::int64_t>("p", 2));
    return [p](Run& run) {
        const at::Tensor& x = run.inputs[0];
        run.outputs[0] = at::pow(at::pow(x.abs(), p).sum(spatial_axes(x), true), 1 / p);
    };
}

// [n, c * window, places] -> [n, c, image…]: every column is a window of the image, and where they overlap they add up.
Kernel column_to_image(const Build& build) {
    const Tensor* block = build.constant(2);
    if (!block || block->count() != 2) build.unsupported("block_shape is not two constant sizes");
    const Window window = read_window(build, to_int64s(*block));
    return [window, image = numbers(build, "", 1)](Run& run) {
        const at::Tensor& columns = run.inputs[0];
        check_rank(columns, 3, "the input");
        Numbers sizes = image(run);
        if (sizes.size() != 2) throw std::runtime_error("image_shape is not two sizes");
        std::int64_t channels = columns.size(1);
        for (std::size_t axis = 0; axis < 2; ++axis) {
            sizes[axis] += window.begin[axis] + window.end[axis];
            const std::int64_t steps = window.kernel[axis] - 1;
            if (steps >= channels || (steps > 0 && window.dilations[axis] > sizes[axis] / steps))
                throw std::runtime_error("the window is larger than the image");
            channels /= window.kernel[axis];
        }
        check_size(run, {columns.size(0), channels, sizes[0], sizes[1]});
        at::Tensor whole = at::col2im(columns, sizes, window.kernel, window.dilations, {0, 0}, window.strides);
        for (std::size_t axis = 0; axis < 2; ++axis)
            whole =
                whole.slice(static_cast<std::int64_t>(axis) + 2, window.begin[axis], sizes[axis] - window.end[axis]);
        run.outputs[0] = whole;
    };
}

}  // namespace

std::span<const Op> pooling_ops() {
    static constexpr std::array rows{
        Op{.name = "GlobalAveragePool", .build = global_average_pool},
        Op{.name = "GlobalMaxPool", .build = global_max_pool},
        Op{.name = "MaxPool", .build = max_pool},
        Op{.name = "AveragePool", .build = average_pool},
        Op{.name = "LpPool", .since = 2, .build = lp_pool},
        Op{.name = "GlobalLpPool", .since = 2, .build = global_lp_pool},
        Op{.name = "MaxUnpool", .since = 9, .build = max_unpool},
        Op{.name = "Col2Im", .since = 18, .build = column_to_image},
    };
    return rows;
}

}  // namespace ouaf::graph
