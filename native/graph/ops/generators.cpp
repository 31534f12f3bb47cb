// Operators that make values out of sizes and numbers: Shape, Range, ConstantOfShape and their kind.
#include <algorithm>
#include <array>
#include <cmath>

#include "native/graph/ops/arguments.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

at::Tensor integers(const Numbers& values, const at::Device& device) {
    return at::tensor(values, at::TensorOptions().dtype(at::kLong)).to(device);
}

// From opset 15 start and end choose a part of the axes.
Kernel shape(const Build& build) {
    const auto start = build.attribute<std::int64_t>("start", 0);
    const auto end = build.attribute<std::int64_t>("end", std::int64_t{1} << 40);
    return [start, end](Run& run) {
        const Numbers sizes = run.inputs[0].sizes().vec();
        const auto rank = static_cast<std::int64_t>(sizes.size());
        const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
        const auto first = sizes.begin() + bound(start);
        const auto last = sizes.begin() + std::max(bound(start), bound(end));
        run.outputs[0] = integers({first, last}, run.inputs[0].device());
    };
}

Kernel size(const Build&) {
    return [](Run& run) {
        run.outputs[0] = at::scalar_tensor(run.inputs[0].numel(), run.inputs[0].options().dtype(at::kLong));
    };
}

Kernel constant_of_shape(const Build& build) {
    const Tensor* given = find_attribute<Tensor>(build.node, "value");
    if (given && given->count() != 1) build.fail("value is not one number");
    const at::Tensor value = given ? to_torch(*given).reshape({}) : at::zeros({});
    return [value, shape_of = numbers(build, "", 0)](Run& run) {
        const Numbers sizes = shape_of(run);
        check_size(run, sizes);
        run.outputs[0] = value.to(run.inputs[0].device()).expand(sizes).clone(at::MemoryFormat::Contiguous);
    };
}

Kernel range(const Build&) {
    return [](Run& run) {
        const at::Tensor start = run.inputs[0].reshape({});
        const at::Tensor delta = run.inputs[2].reshape({});
        const double span = run.inputs[1].item<double>() - start.item<double>();
        const double step = delta.item<double>();
        const double count = std::max(0.0, std::ceil(span / step));
        if (!(count <= 1e12)) throw std::runtime_error("the step does not lead to the limit");
        const auto steps = static_cast<std::int64_t>(count);
        check_size(run, {steps});
        run.outputs[0] = at::arange(steps, start.options().dtype(at::kLong)).to(start.scalar_type()) * delta + start;
    };
}

Kernel eye_like(const Build& build) {
    const auto code = build.attribute<std::int64_t>("dtype", 0);
    const auto type = scalar_type(code);
    if (code != 0 && !type) build.unsupported("element type " + std::to_string(code) + " is not supported");
    return [type, k = build.attribute<std::int64_t>("k", 0)](Run& run) {
        In x = run.inputs[0];
        const auto options = x.options();
        const at::Tensor row = at::arange(x.size(0), options.dtype(at::kLong)).unsqueeze(1);
        const at::Tensor column = at::arange(x.size(1), options.dtype(at::kLong));
        run.outputs[0] = (column == row + k).to(type.value_or(x.scalar_type()));
    };
}

// values is [off, on]. An index outside the depth gives a row that is off.
Kernel one_hot(const Build& build) {
    return [axis = build.attribute<std::int64_t>("axis", -1)](Run& run) {
        const auto given = run.inputs[1].reshape({}).item<double>();
        if (!(given >= 0 && given <= 1e12)) throw std::runtime_error("the depth is " + std::to_string(given));
        const auto depth = static_cast<std::int64_t>(given);
        const at::Tensor index = run.inputs[0].to(at::kLong);
        const std::int64_t along = front_axis(axis, index.dim() + 1);
        Numbers sizes = index.sizes().vec();
        sizes.insert(sizes.begin() + along, depth);
        check_size(run, sizes);
        Numbers column(sizes.size(), 1);
        column[static_cast<std::size_t>(along)] = depth;
        const at::Tensor classes = at::arange(depth, index.options()).reshape(column);
        const at::Tensor on = at::where(index < 0, index + depth, index).unsqueeze(along) == classes;
        run.outputs[0] = at::where(on, run.inputs[2].select(0, 1), run.inputs[2].select(0, 0));
    };
}

Kernel trilu(const Build& build) {
    const bool upper = build.attribute<std::int64_t>("upper", 1) != 0;
    return [upper, k_of = numbers(build, "", 1)](Run& run) {
        const Numbers given = k_of(run);
        In x = run.inputs[0];
        const std::int64_t most = x.size(-1) + x.size(-2);  // any k further out gives the same
        const std::int64_t k = given.empty() ? 0 : std::clamp(given[0], -most, most);
        run.outputs[0] = upper ? at::triu(x, k) : at::tril(x, k);
    };
}

// The weight of a cosine window: a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n).
template <int kind>
Kernel window(const Build& build) {
    const bool periodic = build.attribute<std::int64_t>("periodic", 1) != 0;
    const auto code = build.attribute<std::int64_t>("output_datatype", 1);
    const auto type = scalar_type(code);
    if (!type) build.unsupported("element type " + std::to_string(code) + " is not supported");
    return [periodic, type = *type](Run& run) {
        const auto size = run.inputs[0].item<std::int64_t>();
        check_size(run, {size});
        const at::Tensor angle = at::arange(size, run.inputs[0].options().dtype(at::kDouble)) *
                                 (2 * M_PI / static_cast<double>(periodic ? size : size - 1));
        if constexpr (kind == 0) run.outputs[0] = (0.5 - 0.5 * at::cos(angle)).to(type);
        else if constexpr (kind == 1) run.outputs[0] = (25.0 / 46 - 21.0 / 46 * at::cos(angle)).to(type);
        else run.outputs[0] = (0.42 - 0.5 * at::cos(angle) + 0.08 * at::cos(2 * angle)).to(type);
    };
}

}  // namespace

std::span<const Op> generator_ops() {
    static constexpr std::array rows{
        Op{.name = "Shape", .build = shape},
        Op{.name = "Size", .build = size},
        Op{.name = "ConstantOfShape", .since = 9, .build = constant_of_shape},
        Op{.name = "Range", .since = 11, .build = range},
        Op{.name = "EyeLike", .since = 9, .build = eye_like},
        Op{.name = "OneHot", .since = 9, .build = one_hot},
        Op{.name = "Trilu", .since = 14, .build = trilu},
        Op{.name = "HannWindow", .since = 17, .build = window<0>},
        Op{.name = "HammingWindow", .since = 17, .build = window<1>},
        Op{.name = "BlackmanWindow", .since = 17, .build = window<2>},
    };
    return rows;
}

}  // namespace ouaf::graph
