// The sliding window of convolutions and pools: strides, dilations and padding, as ONNX writes them.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

struct Window {
    enum class AutoPad { explicit_pads, same_upper, same_lower };

    std::vector<std::int64_t> kernel;  // one entry a spatial axis, like all of these
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> dilations;
    std::vector<std::int64_t> begin;  // padding before
    std::vector<std::int64_t> end;    // padding after
    AutoPad auto_pad = AutoPad::explicit_pads;

    // Padding as LibTorch's operators take it: the same on both sides.
    bool symmetric() const { return auto_pad == AutoPad::explicit_pads && begin == end; }
    // begin and end for this input: auto_pad depends on its spatial size. Throws where the input has other axes.
    void paddings(const at::Tensor& input, std::vector<std::int64_t>& before, std::vector<std::int64_t>& after) const;
};

// From the node's attributes. kernel is the spatial part of the weight for a convolution, kernel_shape for a
// pool. Throws where kernel or an attribute does not have one positive number (for pads two, not negative) an axis.
Window read_window(const Build& build, std::vector<std::int64_t> kernel);

// input [n, c, spatial…] with value around it.
at::Tensor padded(const at::Tensor& input, const std::vector<std::int64_t>& before,
                  const std::vector<std::int64_t>& after, double value);

}  // namespace ouaf::graph
