// Conv. With one more file, fused.cpp, for the form that inference runs on CPU.
#include <array>

#include "native/graph/ops/window.hpp"

namespace ouaf::graph {

namespace {

Kernel convolution(const Build& build) {
    // The weight may be computed, but its shape has to be known now: kernel_shape gives it then.
    std::vector<std::int64_t> kernel;
    if (const Tensor* weight = build.constant(1)) {
        if (weight->dims.size() < 3)
            build.fail("the weight has " + std::to_string(weight->dims.size()) + " dimensions");
        kernel.assign(weight->dims.begin() + 2, weight->dims.end());
    } else {
        kernel = build.attribute<std::vector<std::int64_t>>("kernel_shape", {});
    }
    const Window window = read_window(build, std::move(kernel));
    const auto groups = build.attribute<std::int64_t>("group", 1);
    const bool has_bias = build.has_input(2);
    return [window, groups, has_bias](Run& run) {
        at::Tensor input = std::move(run.inputs[0]);
        std::vector<std::int64_t> padding = window.begin;
        if (!window.symmetric()) {
            std::vector<std::int64_t> after;
            window.paddings(input, padding, after);
            if (padding != after) {
                input = padded(input, padding, after, 0);
                padding.assign(padding.size(), 0);
            }
        }
        const auto bias = has_bias ? std::optional<at::Tensor>(run.inputs[2]) : std::nullopt;
        run.outputs[0] = at::convolution(input, run.inputs[1], bias, window.strides, padding, window.dilations, false,
                                         std::vector<std::int64_t>(padding.size(), 0), groups);
    };
}

}  // namespace

std::span<const Op> convolution_ops() {
    static constexpr std::array rows{
        Op{.name = "Conv", .trainable = inputs(1, 2), .build = convolution},
    };
    return rows;
}

}  // namespace ouaf::graph
