// What each operator computes. One row an operator and opset range; the rows stand in ops/*.cpp by theme.
//
// A row's `build` reads a node's attributes once, when the network is made, and returns the function that
// runs it: no attribute is looked up while running. Every function is differentiable by autograd unless it
// says otherwise, and follows https://onnx.ai/onnx/operators/.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "native/graph/graph.hpp"
#include "native/graph/ops/sync_batch_norm.hpp"

namespace ouaf::graph {

// What an operator gets when it runs. Inputs are handed over: one whose value is not needed again is the only
// reference to its tensor. An input left out is an undefined tensor.
struct Run {
    std::span<at::Tensor> inputs;
    std::span<at::Tensor> outputs;
    bool gradients = false;                              // autograd is recording: nothing may be overwritten
    std::int64_t most_elements = std::int64_t{1} << 27;  // that a shape read from values may ask for
    bool training = false;    // dropouts drop, batch norms with a trained scale use the batch's statistics
    bool recomputed = false;  // the same run once more, for its gradients: running statistics are left alone
    const SharedBatch* shared_batch = nullptr;  // whose statistics batch norms take; none: those of what they are given

    bool has_input(std::size_t i) const { return i < inputs.size() && inputs[i].defined(); }

    // Nobody else can see the elements of input i, autograd neither: not even what made it has kept them.
    bool is_only_reference(std::size_t i) const {
        const at::Tensor& input = inputs[i];
        return input.use_count() == 1 && input.storage().use_count() == 1 && input.is_non_overlapping_and_dense();
    }

    // The operator may write its result over input i. One whose gradient needs nothing but its result may ask
    // is_only_reference instead.
    bool may_overwrite(std::size_t i) const { return !gradients && is_only_reference(i); }
};

using Kernel = std::function<void(Run&)>;

// A size, an axis or a pad out of a file, brought to -2^40..2^40: all that is further out is as wrong or, as the end of
// a Slice, means the same, and sums of a few of these fit into 64 bits.
constexpr std::int64_t clamped(std::int64_t number) {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    return std::clamp(number, -most, most);
}

// What a row may read while building.
struct Build {
    const Graph& graph;  // for its initializers and source
    const Node& node;
    std::int64_t opset;

    bool has_input(std::size_t i) const { return i < node.inputs.size() && !node.inputs[i].empty(); }
    // The constant that input i is, or nullptr where it is left out or computed.
    const Tensor* constant(std::size_t i) const;
    // Throws "source: Conv 'name': what"; the second as Unsupported. A kernel throws Unsupported("what") itself.
    [[noreturn]] void fail(const std::string& what) const;
    [[noreturn]] void unsupported(const std::string& what) const;

    // Integers are clamped, see above.
    template <class T>
    T attribute(const std::string& name, T fallback) const {
        T value = attribute_or<T>(node, name, std::move(fallback));
        if constexpr (std::is_same_v<T, std::int64_t>) value = clamped(value);
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
            std::transform(value.begin(), value.end(), value.begin(), clamped);
        return value;
    }
};

// A bit a position: inputs(1, 2) is the second and third input.
constexpr std::uint32_t inputs(auto... positions) { return ((std::uint32_t{1} << positions) | ... | 0u); }

constexpr int newest_opset = 28;

struct Op {
    std::string_view name;
    int since = 1;                // first opset this row is right for
    int until = newest_opset;     // last
    std::uint32_t trainable = 0;  // inputs that are parameters where they are floating constants
    std::uint32_t buffers = 0;    // inputs that are running statistics where they are constants
    Kernel (*build)(const Build&) = nullptr;
    std::string_view domain = "";
};

// The row for an operator in an opset, or nullptr.
const Op* find_op(std::string_view domain, std::string_view name, std::int64_t opset);

// The rows by theme.
std::span<const Op> convolution_ops();
std::span<const Op> linear_ops();
std::span<const Op> activation_ops();
std::span<const Op> elementwise_ops();
std::span<const Op> unary_ops();
std::span<const Op> logic_ops();
std::span<const Op> pooling_ops();
std::span<const Op> normalisation_ops();
std::span<const Op> shape_ops();
std::span<const Op> index_ops();
std::span<const Op> generator_ops();
std::span<const Op> reduction_ops();
std::span<const Op> ordering_ops();
std::span<const Op> resize_ops();
std::span<const Op> attention_ops();
std::span<const Op> recurrent_ops();
std::span<const Op> loss_ops();
std::span<const Op> fused_ops();  // domain "ouaf": made by fuse.hpp, never written to a file
std::span<const Op> fused_training_ops();

}  // namespace ouaf::graph
