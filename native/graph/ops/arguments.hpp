// What many rows read: axes, sizes and other small lists of numbers that older opsets gave as attributes and newer
// ones give as inputs, constant or computed; and integers that LibTorch stores without computing with them.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

using Numbers = std::vector<std::int64_t>;
using NumbersOf = std::function<Numbers(const Run&)>;

Numbers numbers_of(const at::Tensor& tensor);

// The attribute, or else the input; empty where there is neither. A constant input is read now. Clamped, see
// op_table.hpp.
NumbersOf numbers(const Build& build, const std::string& attribute, std::size_t input);

// An axis counted from the back (negative) or the front as one counted from the front; throws where it is neither.
std::int64_t front_axis(std::int64_t axis, std::int64_t rank);
void front_axes(Numbers& axes, std::int64_t rank);

// Throws where a tensor would have more axes than LibTorch computes with.
void check_axes(std::int64_t count);

// Throws where check_axes does, where a size is negative or a result of these sizes would be larger than
// run.most_elements.
void check_size(const Run& run, at::IntArrayRef sizes);

// Throws where x has fewer or more axes; what: "the input".
void check_rank(const at::Tensor& x, std::int64_t rank, const std::string& what);

// LibTorch stores uint16, uint32 and uint64 and has few kernels for them: as int64 they compute. Every other tensor
// is given back as it is. Throws Unsupported where a uint64 is above int64's range.
at::Tensor widened(const at::Tensor& x);
bool needs_widening(const at::Tensor& x);

// Under autocast x in autocast's type, else x. For convolutions: the ones that take all numbers of dimensions are not
// on autocast's list for CPU.
at::Tensor autocast(at::Tensor x);

// A row of one input and one output, and the same for a function that LibTorch lacks for wide unsigned integers.
template <auto function>
Kernel unary(const Build&) {
    return [](Run& run) { run.outputs[0] = function(run.inputs[0]); };
}

}  // namespace ouaf::graph
