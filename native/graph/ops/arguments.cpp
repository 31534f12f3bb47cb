// See arguments.hpp.
#include "native/graph/ops/arguments.hpp"

#include <ATen/autocast_mode.h>

namespace ouaf::graph {

Numbers numbers_of(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kCPU, at::kLong).contiguous().view(-1);
    const auto* first = values.const_data_ptr<std::int64_t>();
    Numbers numbers(first, first + values.numel());
    std::transform(numbers.begin(), numbers.end(), numbers.begin(), clamped);
    return numbers;
}

NumbersOf numbers(const Build& build, const std::string& attribute, std::size_t input) {
    if (find_attribute<Numbers>(build.node, attribute))
        return [values = build.attribute<Numbers>(attribute, {})](const Run&) { return values; };
    if (const Tensor* constant = build.constant(input)) {
        Numbers values = to_int64s(*constant);
        std::transform(values.begin(), values.end(), values.begin(), clamped);
        return [values](const Run&) { return values; };
    }
    if (build.has_input(input)) return [input](const Run& run) { return numbers_of(run.inputs[input]); };
    return [](const Run&) { return Numbers{}; };
}

std::int64_t front_axis(std::int64_t axis, std::int64_t rank) {
    const std::int64_t front = axis < 0 ? axis + rank : axis;
    if (front < 0 || front >= std::max<std::int64_t>(rank, 1))
        throw std::runtime_error("axis " + std::to_string(axis) + " is not one of " + std::to_string(rank));
    return front;
}

void front_axes(Numbers& axes, std::int64_t rank) {
    for (std::int64_t& axis : axes) axis = front_axis(axis, rank);
}

void check_axes(std::int64_t count) {
    constexpr std::int64_t most = 64;  // LibTorch's own limit where it computes
    if (count > most)
        throw std::runtime_error("asks for " + std::to_string(count) + " axes; at most " + std::to_string(most) +
                                 " are supported");
}

void check_size(const Run& run, at::IntArrayRef sizes) {
    check_axes(static_cast<std::int64_t>(sizes.size()));
    if (element_count({sizes.begin(), sizes.end()}) > run.most_elements)
        throw std::runtime_error("asks for more than " + std::to_string(run.most_elements) + " elements");
}

void check_rank(const at::Tensor& x, std::int64_t rank, const std::string& what) {
    if (x.dim() != rank)
        throw std::runtime_error(what + " has " + std::to_string(x.dim()) + " axes and needs " + std::to_string(rank));
}

bool needs_widening(const at::Tensor& x) {
    return x.scalar_type() == at::kUInt16 || x.scalar_type() == at::kUInt32 || x.scalar_type() == at::kUInt64;
}

at::Tensor widened(const at::Tensor& x) {
    if (!needs_widening(x)) return x;
    const at::Tensor wide = x.to(at::kLong);
    if (x.scalar_type() == at::kUInt64 && wide.lt(0).any().item<bool>())
        throw Unsupported("uint64 values above 2^63 are not supported");
    return wide;
}

at::Tensor autocast(at::Tensor x) {
    const auto device = x.device().type();
    if (!at::autocast::is_autocast_enabled(device)) return x;
    return at::autocast::cached_cast(at::autocast::get_autocast_dtype(device), x, device);
}

}  // namespace ouaf::graph
