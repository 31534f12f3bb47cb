// Operators that move values without changing them.
#include <algorithm>
#include <array>
#include <numeric>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

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
        Numbers known = shape;
        std::replace(known.begin(), known.end(), std::int64_t{-1}, std::int64_t{1});
        element_count(known);  // LibTorch multiplies sizes without looking whether they fit
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
    const bool all = !build.has_input(1) && !build.node.attributes.contains("axes");
    return [all, axes_of = numbers(build, "axes", 1)](Run& run) {
        run.outputs[0] = all ? run.inputs[0].squeeze() : run.inputs[0].squeeze(axes_of(run));
    };
}

Kernel unsqueeze(const Build& build) {
    return [axes_of = numbers(build, "axes", 1)](Run& run) {
        const at::Tensor& x = run.inputs[0];
        Numbers axes = axes_of(run);
        const auto rank = x.dim() + static_cast<std::int64_t>(axes.size());  // axes count in the output
        check_axes(rank);
        for (std::int64_t& axis : axes)
            if (axis < 0) axis += rank;
        std::sort(axes.begin(), axes.end());
        at::Tensor y = x;
        for (const std::int64_t axis : axes) y = y.unsqueeze(axis);
        run.outputs[0] = y;
    };
}

// Where each place of a padded axis takes its value from; `size` places, `before` and `after` more around.
at::Tensor padding_sources(const std::string& mode, std::int64_t size, std::int64_t before, std::int64_t after,
                           const at::Device& device) {
    if (size < 1) throw std::runtime_error("an empty axis has nothing to pad with");
    const at::Tensor place = at::arange(-before, size + after, at::TensorOptions().dtype(at::kLong).device(device));
    if (mode == "edge") return place.clamp(0, size - 1);
    if (mode == "wrap") return at::remainder(place, size);
    if (size == 1) return at::zeros_like(place);
    const std::int64_t period = 2 * (size - 1);  // reflect: the edge itself is not repeated
    const at::Tensor phase = at::remainder(place, period);
    return at::minimum(phase, period - phase);
}

// Pads, and crops where a pad is negative.
Kernel pad(const Build& build) {
    const auto mode = build.attribute<std::string>("mode", "constant");
    if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
        build.unsupported("mode '" + mode + "' is not supported");
    const double value = build.attribute("value", 0.0f);
    return [mode, value, pads_of = numbers(build, "pads", 1), axes_of = numbers(build, "axes", 3)](Run& run) {
        In x = run.inputs[0];
        const Numbers pads = pads_of(run);  // all begins, then all ends
        Numbers axes = axes_of(run);
        if (axes.empty()) {
            axes.resize(static_cast<std::size_t>(x.dim()));
            std::iota(axes.begin(), axes.end(), 0);
        }
        front_axes(axes, x.dim());
        if (pads.size() != 2 * axes.size()) throw std::runtime_error("pads has not two numbers for each axis");
        Numbers around(2 * static_cast<std::size_t>(x.dim()), 0);  // LibTorch's order: last axis first
        Numbers sizes = x.sizes().vec();
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t at = 2 * static_cast<std::size_t>(x.dim() - 1 - axes[i]);
            around[at] = pads[i];
            around[at + 1] = pads[axes.size() + i];
            sizes[static_cast<std::size_t>(axes[i])] += around[at] + around[at + 1];
        }
        for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 0);
        check_size(run, sizes);
        if (mode == "constant") {
            const at::Scalar fill = run.has_input(2) ? run.inputs[2].item() : at::Scalar(value);
            run.outputs[0] = at::constant_pad_nd(x, around, fill);
            return;
        }
        at::Tensor y = x;
        for (std::int64_t axis = 0; axis < x.dim(); ++axis) {
            const std::size_t at = 2 * static_cast<std::size_t>(x.dim() - 1 - axis);
            if (around[at] == 0 && around[at + 1] == 0) continue;
            const std::int64_t crop_before = std::max<std::int64_t>(0, -around[at]);
            const std::int64_t crop_after = std::max<std::int64_t>(0, -around[at + 1]);
            y = y.slice(axis, crop_before, y.size(axis) - crop_after);
            y = y.index_select(axis, padding_sources(mode, y.size(axis), around[at] + crop_before,
                                                     around[at + 1] + crop_after, y.device()));
        }
        run.outputs[0] = y;
    };
}

// To opset 9 the bounds are attributes; a step of below 0 walks backwards.
Kernel slice(const Build& build) {
    return [starts_of = numbers(build, "starts", 1), ends_of = numbers(build, "ends", 2),
            axes_of = numbers(build, "axes", 3), steps_of = numbers(build, "steps", 4)](Run& run) {
        at::Tensor y = run.inputs[0];
        const Numbers starts = starts_of(run);
        const Numbers ends = ends_of(run);
        Numbers axes = axes_of(run);
        Numbers steps = steps_of(run);
        if (axes.empty()) {
            axes.resize(starts.size());
            std::iota(axes.begin(), axes.end(), 0);
        }
        if (steps.empty()) steps.assign(starts.size(), 1);
        if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
            throw std::runtime_error("starts, ends, axes and steps differ in number");
        front_axes(axes, y.dim());
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::int64_t size = y.size(axes[i]);
            if (steps[i] == 0) throw std::runtime_error("a step is 0");
            if (steps[i] > 0) {
                y = y.slice(axes[i], starts[i], ends[i], steps[i]);
                continue;
            }
            const auto bound = [&](std::int64_t at) {
                return std::clamp<std::int64_t>(at < 0 ? std::max<std::int64_t>(at, -size - 1) + size : at, -1,
                                                size - 1);
            };
            const std::int64_t first = bound(starts[i]);
            const std::int64_t last = bound(ends[i]);
            const auto options = at::TensorOptions().dtype(at::kLong).device(y.device());
            const std::int64_t step = std::max(steps[i], -size - 1);
            y = y.index_select(axes[i],
                               first > last ? at::arange(first, last, step, options) : at::empty({0}, options));
        }
        run.outputs[0] = y;
    };
}

// The sizes are an attribute to opset 12 and an input since; without them the parts are equal, the last smaller.
Kernel split(const Build& build) {
    const auto axis = build.attribute<std::int64_t>("axis", 0);
    const auto parts = static_cast<std::int64_t>(build.node.outputs.size());
    return [axis, parts, sizes_of = numbers(build, "split", 1)](Run& run) {
        In x = run.inputs[0];
        Numbers sizes = sizes_of(run);
        const std::int64_t size = x.size(front_axis(axis, x.dim()));
        for (std::int64_t i = 0; sizes.size() < static_cast<std::size_t>(parts); ++i) {
            const std::int64_t each = (size + parts - 1) / parts;
            sizes.push_back(std::clamp<std::int64_t>(size - i * each, 0, each));
        }
        const auto pieces = at::split_with_sizes(x, sizes, axis);
        for (std::size_t i = 0; i < run.outputs.size() && i < pieces.size(); ++i) run.outputs[i] = pieces[i];
    };
}

// To the sizes that the input's and the asked ones broadcast to.
Kernel expand(const Build& build) {
    return [shape_of = numbers(build, "shape", 1)](Run& run) {
        const auto sizes = at::infer_size(run.inputs[0].sizes(), shape_of(run));
        check_size(run, sizes);
        run.outputs[0] = run.inputs[0].expand(sizes);
    };
}

Kernel tile(const Build& build) {
    return [repeats_of = numbers(build, "repeats", 1)](Run& run) {
        const Numbers repeats = repeats_of(run);
        Numbers sizes = run.inputs[0].sizes().vec();
        if (repeats.size() != sizes.size()) throw std::runtime_error("repeats has not one number for each axis");
        for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] *= std::clamp<std::int64_t>(repeats[i], -1, 1 << 20);
        check_size(run, sizes);
        run.outputs[0] = run.inputs[0].repeat(repeats);
    };
}

void check_block(const Build& build, std::int64_t block) {
    if (block < 1 || block > (1 << 20)) build.fail("blocksize is " + std::to_string(block));
}

// [n, c, h, w] with blocks of channels as blocks of pixels: the block's place counts above the channel (DCR) or
// below it (CRD).
Kernel depth_to_space(const Build& build) {
    const auto block = build.attribute<std::int64_t>("blocksize", 0);
    const bool above = build.attribute<std::string>("mode", "DCR") == "DCR";
    check_block(build, block);
    return [block, above](Run& run) {
        In x = run.inputs[0];
        const std::int64_t channels = x.size(1) / (block * block);
        const at::Tensor parts =
            above ? x.reshape({x.size(0), block, block, channels, x.size(2), x.size(3)}).permute({0, 3, 4, 1, 5, 2})
                  : x.reshape({x.size(0), channels, block, block, x.size(2), x.size(3)}).permute({0, 1, 4, 2, 5, 3});
        run.outputs[0] = parts.reshape({x.size(0), channels, x.size(2) * block, x.size(3) * block});
    };
}

Kernel space_to_depth(const Build& build) {
    const auto block = build.attribute<std::int64_t>("blocksize", 0);
    const bool above = build.attribute<std::string>("mode", "DCR") == "DCR";
    check_block(build, block);
    return [block, above](Run& run) {
        In x = run.inputs[0];
        const std::int64_t rows = x.size(2) / block;
        const std::int64_t columns = x.size(3) / block;
        run.outputs[0] = x.reshape({x.size(0), x.size(1), rows, block, columns, block})
                             .permute(above ? Numbers{0, 3, 5, 1, 2, 4} : Numbers{0, 1, 3, 5, 2, 4})
                             .reshape({x.size(0), x.size(1) * block * block, rows, columns});
    };
}

// Cropped or padded with zeros around the middle, axis by axis.
Kernel center_crop_pad(const Build& build) {
    return [axes = build.attribute<Numbers>("axes", {}), shape_of = numbers(build, "shape", 1)](Run& run) {
        at::Tensor y = run.inputs[0];
        const Numbers shape = shape_of(run);
        Numbers along = axes;
        if (along.empty()) {
            along.resize(shape.size());
            std::iota(along.begin(), along.end(), 0);
        }
        front_axes(along, y.dim());
        for (std::size_t i = 0; i < along.size() && i < shape.size(); ++i) {
            const std::int64_t size = y.size(along[i]);
            if (size >= shape[i]) {
                y = y.narrow(along[i], (size - shape[i]) / 2, shape[i]);
                continue;
            }
            const std::int64_t missing = shape[i] - size;
            Numbers around(2 * static_cast<std::size_t>(y.dim()), 0);
            const std::size_t at = 2 * static_cast<std::size_t>(y.dim() - 1 - along[i]);
            around[at] = missing / 2;
            around[at + 1] = missing - missing / 2;
            Numbers sizes = y.sizes().vec();
            sizes[static_cast<std::size_t>(along[i])] = shape[i];
            check_size(run, sizes);
            y = at::constant_pad_nd(y, around);
        }
        run.outputs[0] = y;
    };
}

}  // namespace

std::span<const Op> shape_ops() {
    static constexpr std::array rows{
        Op{.name = "Flatten", .trainable = inputs(0), .build = flatten},
        Op{.name = "Reshape", .trainable = inputs(0), .build = reshape},
        Op{.name = "Transpose", .trainable = inputs(0), .build = transpose},
        Op{.name = "Concat", .since = 4, .trainable = ~0u, .build = concat},
        Op{.name = "Split", .since = 2, .trainable = inputs(0), .build = split},
        Op{.name = "Slice", .trainable = inputs(0), .build = slice},
        Op{.name = "Squeeze", .trainable = inputs(0), .build = squeeze},
        Op{.name = "Unsqueeze", .trainable = inputs(0), .build = unsqueeze},
        Op{.name = "Expand", .since = 8, .trainable = inputs(0), .build = expand},
        Op{.name = "Tile", .since = 6, .trainable = inputs(0), .build = tile},
        Op{.name = "Pad", .since = 2, .trainable = inputs(0), .build = pad},
        Op{.name = "DepthToSpace", .build = depth_to_space},
        Op{.name = "SpaceToDepth", .build = space_to_depth},
        Op{.name = "CenterCropPad", .since = 18, .build = center_crop_pad},
    };
    return rows;
}

}  // namespace ouaf::graph
