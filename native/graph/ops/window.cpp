// See window.hpp.
#include "native/graph/ops/window.hpp"

#include <algorithm>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

std::vector<std::int64_t> axis_values(const Build& build, const std::string& name, std::size_t count,
                                      std::int64_t fallback, std::int64_t smallest) {
    auto values = build.attribute<std::vector<std::int64_t>>(name, std::vector<std::int64_t>(count, fallback));
    if (values.size() != count)
        build.fail(name + " has " + std::to_string(values.size()) + " numbers where " + std::to_string(count) +
                   " are needed");
    for (const std::int64_t value : values)
        if (value < smallest || value > (1 << 20)) build.fail(name + " holds " + std::to_string(value));
    return values;
}

}  // namespace

void Window::paddings(const at::Tensor& input, std::vector<std::int64_t>& before,
                      std::vector<std::int64_t>& after) const {
    check_rank(input, static_cast<std::int64_t>(kernel.size()) + 2, "the input");
    before = begin;
    after = end;
    if (auto_pad == AutoPad::explicit_pads) return;
    for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
        const std::int64_t size = input.size(static_cast<std::int64_t>(axis) + 2);
        const std::int64_t out = (size + strides[axis] - 1) / strides[axis];
        const std::int64_t reach = (kernel[axis] - 1) * dilations[axis] + 1;
        const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * strides[axis] + reach - size);
        before[axis] = auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
        after[axis] = total - before[axis];
    }
}

Window read_window(const Build& build, std::vector<std::int64_t> kernel) {
    const std::size_t axes = kernel.size();
    if (axes < 1 || axes > 3) build.fail("has " + std::to_string(axes) + " spatial axes; 1 to 3 are supported");
    for (const std::int64_t size : kernel)
        if (size < 1 || size > (1 << 20)) build.fail("the window is " + std::to_string(size) + " long");
    Window window;
    window.kernel = std::move(kernel);
    window.strides = axis_values(build, "strides", axes, 1, 1);
    window.dilations = axis_values(build, "dilations", axes, 1, 1);
    window.begin.assign(axes, 0);
    window.end.assign(axes, 0);
    const auto auto_pad = build.attribute<std::string>("auto_pad", "NOTSET");
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
        window.auto_pad = auto_pad == "SAME_UPPER" ? Window::AutoPad::same_upper : Window::AutoPad::same_lower;
    } else if (auto_pad == "NOTSET") {
        const auto pads = axis_values(build, "pads", 2 * axes, 0, 0);
        const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(axes);
        window.begin.assign(pads.begin(), middle);
        window.end.assign(middle, pads.end());
    } else if (auto_pad != "VALID") {
        build.fail("auto_pad is '" + auto_pad + "'");
    }
    return window;
}

at::Tensor padded(const at::Tensor& input, const std::vector<std::int64_t>& before,
                  const std::vector<std::int64_t>& after, double value) {
    std::vector<std::int64_t> pads;  // LibTorch's order: last axis first
    for (std::size_t axis = before.size(); axis-- > 0;) {
        pads.push_back(before[axis]);
        pads.push_back(after[axis]);
    }
    return at::constant_pad_nd(input, pads, value);
}

}  // namespace ouaf::graph
