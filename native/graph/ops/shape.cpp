// Operators that move values without changing them.
#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

namespace {

using Numbers = std::vector<std::int64_t>;
using NumbersOf = std::function<Numbers(const Run&)>;

Numbers numbers_of(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kCPU, at::kLong).contiguous().view(-1);
    const auto* first = values.const_data_ptr<std::int64_t>();
    return {first, first + values.numel()};
}

// Numbers that an attribute gave in older opsets and an input gives since; a constant input is read now.
NumbersOf numbers(const Build& build, const std::string& attribute, std::size_t input) {
    if (const auto* given = find_attribute<Numbers>(build.node, attribute))
        return [values = *given](const Run&) { return values; };
    if (const Tensor* constant = build.constant(input))
        return [values = to_int64s(*constant)](const Run&) { return values; };
    if (build.has_input(input)) return [input](const Run& run) { return numbers_of(run.inputs[input]); };
    return [](const Run&) { return Numbers{}; };
}

// [product of the axes before `axis`, product of the others]
Kernel flatten(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 1);
    return [axis](Run& run) {
        const at::Tensor& x = run.inputs[0];
        const auto first = axis < 0 ? axis + x.dim() : axis;
        std::int64_t rows = 1;
        for (std::int64_t i = 0; i < first; ++i) rows *= x.size(i);
        std::int64_t columns = 1;
        for (std::int64_t i = first; i < x.dim(); ++i) columns *= x.size(i);
        run.outputs[0] = x.reshape({rows, columns});
    };
}

Kernel reshape(const Build& build) {
    const bool keeps_zero = build.attribute<std::int64_t>("allowzero", 0) != 0;
    return [keeps_zero, shape_of = numbers(build, "shape", 1)](Run& run) {
        const at::Tensor& x = run.inputs[0];
        Numbers shape = shape_of(run);
        for (std::size_t i = 0; i < shape.size() && !keeps_zero; ++i)
            if (shape[i] == 0) shape[i] = x.size(static_cast<std::int64_t>(i));  // 0 copies the input's size
        run.outputs[0] = x.reshape(shape);
    };
}

Kernel transpose(const Build& build) {
    const auto order = build.attribute<Numbers>("perm", {});
    return [order](Run& run) {
        Numbers axes = order;
        if (axes.empty()) {  // the axes reversed
            axes.resize(static_cast<std::size_t>(run.inputs[0].dim()));
            std::iota(axes.rbegin(), axes.rend(), 0);
        }
        run.outputs[0] = run.inputs[0].permute(axes);
    };
}

Kernel concat(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 1);
    return [axis](Run& run) {
        run.outputs[0] = at::cat(at::ArrayRef<at::Tensor>(run.inputs.data(), run.inputs.size()), axis);
    };
}

Kernel squeeze(const Build& build) {
    return [axes_of = numbers(build, "axes", 1), all = !build.has_input(1) && !build.node.attributes.contains("axes")](
               Run& run) { run.outputs[0] = all ? run.inputs[0].squeeze() : run.inputs[0].squeeze(axes_of(run)); };
}

Kernel unsqueeze(const Build& build) {
    return [axes_of = numbers(build, "axes", 1)](Run& run) {
        const at::Tensor& x = run.inputs[0];
        Numbers axes = axes_of(run);
        const auto rank = x.dim() + static_cast<std::int64_t>(axes.size());  // axes count in the output
        for (std::int64_t& axis : axes)
            if (axis < 0) axis += rank;
        std::sort(axes.begin(), axes.end());
        at::Tensor y = x;
        for (const std::int64_t axis : axes) y = y.unsqueeze(axis);
        run.outputs[0] = y;
    };
}

// Pads, and crops where a pad is negative. Only zeros or another constant around.
Kernel pad(const Build& build) {
    const auto mode = build.attribute<std::string>("mode", "constant");
    if (mode != "constant") build.fail("mode '" + mode + "' is not supported, only constant");
    if (build.has_input(3)) build.fail("the axes input is not supported");
    double value = build.attribute("value", 0.0f);
    if (build.has_input(2)) {
        const Tensor* constant = build.constant(2);
        if (!constant || constant->count() != 1) build.fail("the padding value has to be one constant number");
        value = to_floats(*constant)[0];
    }
    return [value, pads_of = numbers(build, "pads", 1)](Run& run) {
        const Numbers pads = pads_of(run);  // all begins, then all ends
        const std::size_t rank = pads.size() / 2;
        Numbers last_first;
        for (std::size_t axis = rank; axis-- > 0;) {
            last_first.push_back(pads[axis]);
            last_first.push_back(pads[rank + axis]);
        }
        run.outputs[0] = at::constant_pad_nd(run.inputs[0], last_first, value);
    };
}

}  // namespace

std::span<const Op> shape_ops() {
    static constexpr std::array rows{
        Op{.name = "Flatten", .build = flatten},
        Op{.name = "Reshape", .build = reshape},
        Op{.name = "Transpose", .build = transpose},
        Op{.name = "Concat", .since = 4, .trainable = ~0u, .build = concat},
        Op{.name = "Squeeze", .build = squeeze},
        Op{.name = "Unsqueeze", .build = unsqueeze},
        Op{.name = "Pad", .since = 2, .build = pad},
    };
    return rows;
}

}  // namespace ouaf::graph
