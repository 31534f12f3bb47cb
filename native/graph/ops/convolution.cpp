// Conv and ConvTranspose. With one more file, fused.cpp, for the form that inference runs on CPU.
#include <algorithm>
#include <array>

#include "native/graph/kernels/depthwise.hpp"
#include "native/graph/ops/arguments.hpp"
#include "native/graph/ops/window.hpp"

namespace ouaf::graph {

namespace {

// The weight's spatial sizes: of the constant, or of the attribute where the weight is computed. Nothing where only
// running tells.
std::optional<Numbers> kernel_sizes(const Build& build) {
    if (const Tensor* weight = build.constant(1)) {
        if (weight->dims.size() < 3)
            build.fail("the weight has " + std::to_string(weight->dims.size()) + " dimensions");
        return Numbers(weight->dims.begin() + 2, weight->dims.end());
    }
    if (const auto* given = find_attribute<Numbers>(build.node, "kernel_shape")) return *given;
    return std::nullopt;
}

// The window is read now where that can be, else from the weight whenever it runs; node and graph are copied for it.
template <class Function>
Kernel with_window(const Build& build, Function function) {
    if (const auto kernel = kernel_sizes(build))
        return [function, window = read_window(build, *kernel)](Run& run) { function(run, window); };
    Graph named;
    named.source = build.graph.source;
    return [function, named, node = build.node, opset = build.opset](Run& run) {
        const auto sizes = run.inputs[1].sizes().vec();
        if (sizes.size() < 3)
            throw std::runtime_error("the weight has " + std::to_string(sizes.size()) + " dimensions");
        function(run, read_window(Build{named, node, opset}, {sizes.begin() + 2, sizes.end()}));
    };
}

// Every stride-th pixel, where that is all a 1x1 kernel reads. Done for images of few channels while gradients are
// recorded: oneDNN 3.x writes past its scratch memory when it computes the weight's gradient of such a convolution
// (AVX2, channels_last, channels no multiple of 8).
bool thinned(at::Tensor& input, const Window& window, const Numbers& padding) {
    const auto all = [](const Numbers& numbers, std::int64_t value) {
        return std::all_of(numbers.begin(), numbers.end(), [&](std::int64_t each) { return each == value; });
    };
    if (input.size(1) % 8 == 0 || !all(window.kernel, 1) || !all(padding, 0) || all(window.strides, 1)) return false;
    for (std::size_t axis = 0; axis < window.strides.size(); ++axis) {
        const auto along = static_cast<std::int64_t>(axis) + 2;
        input = input.slice(along, 0, input.size(along), window.strides[axis]);
    }
    return true;
}

// Whether a convolution whose gradients are recorded is left to the depthwise kernel, which is for strided ones and for
// filters larger than 3x3: oneDNN's gradients of those take many times as long in bfloat16 (docs/engine.md), and uneven
// padding ('SAME') would have to be copied.
bool is_large_or_strided_depthwise(const at::Tensor& input, const at::Tensor& weight, const Window& window,
                                   std::int64_t groups, const Numbers& before, const Numbers& after) {
    if (window.kernel.size() != 2 || window.dilations != Numbers{1, 1} || groups != input.size(1) ||
        !can_convolve_depthwise(input, weight))
        return false;
    if (window.strides == Numbers{1, 1} && window.kernel[0] * window.kernel[1] <= 9) return false;
    for (std::size_t axis = 0; axis < 2; ++axis)  // LibTorch says what is wrong with it
        if (input.size(static_cast<std::int64_t>(axis) + 2) + before[axis] + after[axis] < window.kernel[axis])
            return false;
    return true;
}

Kernel convolution(const Build& build) {
    const auto groups = build.attribute<std::int64_t>("group", 1);
    const bool has_bias = build.has_input(2);
    return with_window(build, [groups, has_bias](Run& run, const Window& window) {
        at::Tensor input = autocast(std::move(run.inputs[0]));
        const at::Tensor weight = autocast(run.inputs[1]);
        Numbers before = window.begin;
        Numbers after = window.end;
        if (!window.symmetric()) window.paddings(input, before, after);
        if (run.gradients && is_large_or_strided_depthwise(input, weight, window, groups, before, after)) {
            run.outputs[0] = convolve_depthwise(
                input, weight, has_bias ? run.inputs[2] : at::Tensor(),
                {{window.strides[0], window.strides[1]}, {before[0], before[1]}, {after[0], after[1]}});
            return;
        }
        if (before != after) {
            input = padded(input, before, after, 0);
            before.assign(before.size(), 0);
        }
        const auto bias = has_bias ? std::optional<at::Tensor>(autocast(run.inputs[2])) : std::nullopt;
        const bool one_by_one = run.gradients && thinned(input, window, before);
        const Numbers strides = one_by_one ? Numbers(before.size(), 1) : window.strides;
        run.outputs[0] = at::convolution(input, weight, bias, strides, before, window.dilations, false,
                                         Numbers(before.size(), 0), groups);
    });
}

// The whole result is made and then cut: pads take away at both ends, output_padding adds after the last.
Kernel transposed_convolution(const Build& build) {
    const auto groups = build.attribute<std::int64_t>("group", 1);
    const auto output_padding = build.attribute<Numbers>("output_padding", {});
    const auto output_shape = build.attribute<Numbers>("output_shape", {});
    const bool has_bias = build.has_input(2);
    return with_window(build, [=](Run& run, const Window& window) {
        const at::Tensor x = autocast(run.inputs[0]);
        const std::size_t axes = window.kernel.size();
        Numbers added = output_padding;
        added.resize(axes, 0);
        const Numbers none(axes, 0);
        at::Tensor y =
            at::convolution(x, autocast(run.inputs[1]), {}, window.strides, none, window.dilations, true, none, groups);
        Numbers around;  // LibTorch's order: last axis first
        for (std::size_t axis = axes; axis-- > 0;) {
            std::int64_t begin = window.begin[axis];
            std::int64_t end = window.end[axis];
            const bool same = window.auto_pad != Window::AutoPad::explicit_pads;
            if (same || output_shape.size() >= axes) {
                const auto dim = static_cast<std::int64_t>(axis) + 2;
                const std::int64_t wanted = output_shape.size() >= axes
                                                ? output_shape[output_shape.size() - axes + axis]
                                                : x.size(dim) * window.strides[axis];
                const std::int64_t total = y.size(dim) + added[axis] - wanted;
                const std::int64_t cut = std::max<std::int64_t>(total, 0);  // below 0: zeros after the last
                begin = window.auto_pad == Window::AutoPad::same_upper ? cut / 2 : cut - cut / 2;
                end = total - begin;
            }
            around.push_back(-begin);
            around.push_back(added[axis] - end);
        }
        y = at::constant_pad_nd(y, around, 0);
        if (has_bias) {
            Numbers column(axes + 2, 1);
            column[1] = -1;
            y = y + run.inputs[2].reshape(column);
        }
        run.outputs[0] = y;
    });
}

}  // namespace

std::span<const Op> convolution_ops() {
    static constexpr std::array rows{
        Op{.name = "Conv", .trainable = inputs(1, 2), .build = convolution},
        Op{.name = "ConvTranspose", .trainable = inputs(1, 2), .build = transposed_convolution},
    };
    return rows;
}

}  // namespace ouaf::graph
