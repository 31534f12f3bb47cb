// Pools over windows and over whole images.
#include <algorithm>
#include <array>
#include <limits>

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
    for (const std::int64_t size : kernel)
        if (size < 1 || size > (1 << 20)) build.fail("kernel_shape holds " + std::to_string(size));
    return {read_window(build, kernel), build.attribute<std::int64_t>("ceil_mode", 0) != 0};
}

Kernel max_pool(const Build& build) {
    if (build.node.outputs.size() > 1 && !build.node.outputs[1].empty())
        build.fail("the second output (indices) is not supported");
    if (build.attribute<std::int64_t>("storage_order", 0) != 0) build.fail("storage_order 1 is not supported");
    const Pool pool = read_pool(build);
    return [pool](Run& run) {
        std::vector<std::int64_t> before;
        std::vector<std::int64_t> after;
        pool.paddings(run.inputs[0], before, after);
        const Window& window = pool.window;
        at::Tensor x = run.inputs[0];
        const bool halves = std::equal(before.begin(), before.end(), window.kernel.begin(),
                                       [](std::int64_t pad, std::int64_t size) { return pad <= size / 2; });
        if (before != after || !halves) {
            x = padded(x, before, after, -std::numeric_limits<double>::infinity());
            before.assign(before.size(), 0);
        }
        switch (before.size()) {
            case 1: run.outputs[0] = at::max_pool1d(x, window.kernel, window.strides, before, window.dilations); break;
            case 2: run.outputs[0] = at::max_pool2d(x, window.kernel, window.strides, before, window.dilations); break;
            default: run.outputs[0] = at::max_pool3d(x, window.kernel, window.strides, before, window.dilations);
        }
    };
}

at::Tensor window_mean(const at::Tensor& x, const Window& window) {
    switch (window.kernel.size()) {
        case 1: return at::avg_pool1d(x, window.kernel, window.strides);
        case 2: return at::avg_pool2d(x, window.kernel, window.strides);
        default: return at::avg_pool3d(x, window.kernel, window.strides);
    }
}

Kernel average_pool(const Build& build) {
    const Pool pool = read_pool(build);
    if (std::any_of(pool.window.dilations.begin(), pool.window.dilations.end(), [](auto d) { return d != 1; }))
        build.fail("dilations other than 1 are not supported");
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

}  // namespace

std::span<const Op> pooling_ops() {
    static constexpr std::array rows{
        Op{.name = "GlobalAveragePool", .build = global_average_pool},
        Op{.name = "GlobalMaxPool", .build = global_max_pool},
        Op{.name = "MaxPool", .build = max_pool},
        Op{.name = "AveragePool", .build = average_pool},
    };
    return rows;
}

}  // namespace ouaf::graph
