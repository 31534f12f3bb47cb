// Resize and Upsample axis by axis, and sampling on a grid.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

struct Resize {
    std::string mode;         // nearest, linear, cubic
    std::string coordinates;  // coordinate_transformation_mode
    std::string rounding;     // nearest_mode
    std::string policy;       // keep_aspect_ratio_policy
    double cubic_a = -0.75;
    double extrapolation = 0;
    bool exclude_outside = false;
    bool antialias = false;
};

// One axis: `in` values become `out`.
struct Axis {
    std::int64_t in = 1;
    std::int64_t out = 1;
    double scale = 1;
    double begin = 0;  // of the crop, as a share of the axis; only tf_crop_and_resize reads these
    double end = 1;
};

// Where output value `at` lies among the input's, as ONNX's formulas say.
double formula(const Resize& resize, const Axis& axis, std::int64_t at) {
    const auto place = static_cast<double>(at);
    const auto in = static_cast<double>(axis.in);
    const auto out = static_cast<double>(axis.out);
    const double exact = axis.scale * in;  // the output's size before it was cut to an integer
    if (resize.coordinates == "asymmetric") return place / axis.scale;
    if (resize.coordinates == "align_corners") return exact > 1 ? place * (in - 1) / (exact - 1) : 0;
    if (resize.coordinates == "pytorch_half_pixel" && axis.out <= 1) return 0;
    if (resize.coordinates == "tf_crop_and_resize") {
        if (axis.out <= 1) return 0.5 * (axis.begin + axis.end) * (in - 1);
        return axis.begin * (in - 1) + place * (axis.end - axis.begin) * (in - 1) / (out - 1);
    }
    if (resize.coordinates == "tf_half_pixel_for_nn") return (place + 0.5) / axis.scale;
    double offset = 0;
    if (resize.coordinates == "half_pixel_symmetric") offset = in / 2 * (1 - out / exact);
    return offset + (place + 0.5) / axis.scale - 0.5;
}

double source(const Resize& resize, const Axis& axis, std::int64_t at) {
    constexpr double farthest = 1e12;  // still an integer of 64 bits; no picture is as large
    const double place = formula(resize, axis, at);
    if (!(std::abs(place) < farthest)) throw std::runtime_error("roi or scales lead to no place of the input");
    return place;
}

double nearest(const std::string& rounding, double place) {
    if (rounding == "floor") return std::floor(place);
    if (rounding == "ceil") return std::ceil(place);
    const double down = std::floor(place);
    const double part = place - down;
    if (part == 0.5) return rounding == "round_prefer_ceil" ? down + 1 : down;
    return part > 0.5 ? down + 1 : down;
}

// How much a value at this distance counts.
double weight(const Resize& resize, double distance) {
    const double d = std::abs(distance);
    if (resize.mode == "linear") return std::max(0.0, 1 - d);
    const double a = resize.cubic_a;
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0;
}

// The share of each input value in each output value: [out, in].
at::Tensor shares(const Resize& resize, const Axis& axis) {
    at::Tensor table = at::zeros({axis.out, axis.in}, at::kDouble);
    if (axis.out == 0) return table;  // its scale may be 0
    auto rows = table.accessor<double, 2>();
    const double scale = resize.antialias ? std::min(axis.scale, 1.0) : 1.0;
    const double reach = resize.mode == "linear" ? 1 : 2;
    const auto first = static_cast<std::int64_t>(std::floor(-reach / scale)) + 1;
    for (std::int64_t out = 0; out < axis.out; ++out) {
        const double place = source(resize, axis, out);
        const double whole = std::floor(place);
        double total = 0;
        for (std::int64_t tap = first; tap < 2 - first; ++tap) {
            const std::int64_t from = static_cast<std::int64_t>(whole) + tap;
            const double share = weight(resize, (static_cast<double>(tap) - (place - whole)) * scale);
            const bool outside = from < 0 || from >= axis.in;
            if (outside && resize.exclude_outside) continue;
            rows[out][std::clamp<std::int64_t>(from, 0, axis.in - 1)] += share;
            total += share;
        }
        for (std::int64_t in = 0; in < axis.in && total != 0; ++in) rows[out][in] /= total;
    }
    return table;
}

at::Tensor resized(const Resize& resize, In x, std::int64_t dim, const Axis& axis) {
    if (axis.in < 1) throw std::runtime_error("an empty axis cannot be resized");
    at::Tensor y;
    if (resize.mode == "nearest") {
        Numbers from;
        from.reserve(static_cast<std::size_t>(axis.out));
        for (std::int64_t out = 0; out < axis.out; ++out)
            from.push_back(std::clamp<std::int64_t>(
                static_cast<std::int64_t>(nearest(resize.rounding, source(resize, axis, out))), 0, axis.in - 1));
        y = x.index_select(dim, at::tensor(from, at::TensorOptions().dtype(at::kLong)).to(x.device()));
    } else {
        if (!at::isFloatingType(x.scalar_type())) throw Unsupported("interpolated integers are not supported");
        const at::Tensor table = shares(resize, axis).to(x.options().requires_grad(false));
        y = at::matmul(x.movedim(dim, -1), table.t()).movedim(-1, dim);
    }
    if (resize.coordinates != "tf_crop_and_resize") return y;
    at::Tensor outside = at::zeros({axis.out}, at::kBool);
    for (std::int64_t out = 0; out < axis.out; ++out) {
        const double place = source(resize, axis, out);
        outside.data_ptr<bool>()[out] = place < 0 || place > static_cast<double>(axis.in - 1);
    }
    Numbers column(static_cast<std::size_t>(x.dim()), 1);
    column[static_cast<std::size_t>(dim)] = axis.out;
    return y.masked_fill(outside.to(x.device()).reshape(column), resize.extrapolation);
}

std::vector<double> reals_of(In tensor) {
    const at::Tensor values = tensor.to(at::kCPU, at::kDouble).contiguous().view(-1);
    const auto* first = values.const_data_ptr<double>();
    return {first, first + values.numel()};
}

// A number of values; refused are also NaN and what no tensor can hold.
std::int64_t whole(double values) {
    if (!(values >= 1 && values <= 1e12)) throw std::runtime_error("asks for an empty or endless axis");
    return static_cast<std::int64_t>(values);
}

// The axes' sizes and scales from `scales` or `sizes`, whichever has values.
std::vector<Axis> axes_of(const Resize& resize, In x, const Numbers& dims, const std::vector<double>& scales,
                          const Numbers& sizes) {
    std::vector<Axis> axes(dims.size());
    if (scales.size() != dims.size() && sizes.size() != dims.size())
        throw std::runtime_error("neither scales nor sizes has one number for each axis");
    for (std::size_t i = 0; i < dims.size(); ++i) {
        axes[i].in = x.size(dims[i]);
        if (scales.size() == dims.size()) {
            axes[i].scale = scales[i];
            // In single precision, as the scales are stored: 23 rows by 13 / 23 are 13, not 12.999999.
            axes[i].out = whole(std::floor(static_cast<float>(axes[i].in) * static_cast<float>(scales[i])));
        } else {
            axes[i].out = whole(static_cast<double>(sizes[i]));
            axes[i].scale = static_cast<double>(sizes[i]) / static_cast<double>(axes[i].in);
        }
    }
    if (resize.policy == "stretch" || scales.size() == dims.size()) return axes;
    const auto smaller = [](const Axis& a, const Axis& b) { return a.scale < b.scale; };
    const double scale = resize.policy == "not_larger" ? std::min_element(axes.begin(), axes.end(), smaller)->scale
                                                       : std::max_element(axes.begin(), axes.end(), smaller)->scale;
    for (Axis& axis : axes) {
        axis.scale = scale;
        axis.out = whole(std::floor(scale * static_cast<double>(axis.in) + 0.5));
    }
    return axes;
}

// Resize of opset 10 and Upsample have no coordinate modes: place / scale, and nearest takes the one below.
Kernel resize(const Build& build) {
    const bool old = build.opset < 11 || build.node.op == "Upsample";
    Resize asked{build.attribute<std::string>("mode", "nearest"),
                 build.attribute<std::string>("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
                 build.attribute<std::string>("nearest_mode", old ? "floor" : "round_prefer_floor"),
                 build.attribute<std::string>("keep_aspect_ratio_policy", "stretch"),
                 build.attribute("cubic_coeff_a", -0.75f),
                 build.attribute("extrapolation_value", 0.0f),
                 build.attribute<std::int64_t>("exclude_outside", 0) != 0,
                 build.attribute<std::int64_t>("antialias", 0) != 0};
    if (asked.mode == "bilinear") asked.mode = "linear";
    if (asked.mode != "nearest" && asked.mode != "linear" && asked.mode != "cubic")
        build.unsupported("mode '" + asked.mode + "' is not supported");
    const auto scales = build.attribute<std::vector<float>>("scales", {});
    const std::size_t scales_input = old ? 1 : 2;
    return [asked, scales, scales_input, dims_given = build.attribute<Numbers>("axes", {})](Run& run) {
        In x = run.inputs[0];
        Numbers dims = dims_given;
        if (dims.empty()) {
            dims.resize(static_cast<std::size_t>(x.dim()));
            std::iota(dims.begin(), dims.end(), 0);
        }
        front_axes(dims, x.dim());
        std::vector<double> factors(scales.begin(), scales.end());
        if (run.has_input(scales_input)) factors = reals_of(run.inputs[scales_input]);
        const Numbers sizes = run.has_input(3) ? numbers_of(run.inputs[3]) : Numbers{};
        std::vector<Axis> axes = axes_of(asked, x, dims, factors, sizes);
        if (asked.coordinates == "tf_crop_and_resize") {
            if (!run.has_input(1)) throw std::runtime_error("has no roi");
            const auto roi = reals_of(run.inputs[1]);
            if (roi.size() != 2 * axes.size()) throw std::runtime_error("roi has not two numbers for each axis");
            for (std::size_t i = 0; i < axes.size(); ++i) {
                axes[i].begin = roi[i];
                axes[i].end = roi[axes.size() + i];
            }
        }
        Numbers result = x.sizes().vec();
        for (std::size_t i = 0; i < axes.size(); ++i) result[static_cast<std::size_t>(dims[i])] = axes[i].out;
        check_size(run, result);
        at::Tensor y = x;
        for (std::size_t i = 0; i < axes.size(); ++i)
            if (axes[i].in != axes[i].out || axes[i].scale != 1 || asked.coordinates == "tf_crop_and_resize")
                y = resized(asked, y, dims[i], axes[i]);
        run.outputs[0] = y;
    };
}

// To opset 19 the modes are called bilinear and bicubic.
Kernel grid_sample(const Build& build) {
    const auto mode = build.attribute<std::string>("mode", "linear");
    const auto around = build.attribute<std::string>("padding_mode", "zeros");
    const bool corners = build.attribute<std::int64_t>("align_corners", 0) != 0;
    const int kind = mode == "nearest" ? 1 : mode == "cubic" || mode == "bicubic" ? 2 : 0;
    const int outside = around == "border" ? 1 : around == "reflection" ? 2 : 0;
    return [kind, outside, corners](Run& run) {
        if (kind == 2 && run.inputs[0].dim() != 4) throw Unsupported("cubic sampling is supported for images only");
        run.outputs[0] = at::grid_sampler(run.inputs[0], run.inputs[1], kind, outside, corners);
    };
}

Kernel affine_grid(const Build& build) {
    const bool corners = build.attribute<std::int64_t>("align_corners", 0) != 0;
    return [corners, size_of = numbers(build, "", 1)](Run& run) {
        const Numbers sizes = size_of(run);
        check_size(run, sizes);
        run.outputs[0] = at::affine_grid_generator(run.inputs[0], sizes, corners);
    };
}

}  // namespace

std::span<const Op> resize_ops() {
    static constexpr std::array rows{
        Op{.name = "Resize", .since = 10, .build = resize},
        Op{.name = "Upsample", .since = 7, .until = 9, .build = resize},
        Op{.name = "GridSample", .since = 16, .build = grid_sample},
        Op{.name = "AffineGrid", .since = 20, .build = affine_grid},
    };
    return rows;
}

}  // namespace ouaf::graph
