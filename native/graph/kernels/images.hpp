// Images in memory as the kernels of this folder take them: [n, h, w, channels] in a row, float32 or bfloat16.
#pragma once

#include <ATen/core/Tensor.h>

#include "native/graph/kernels/lanes.hpp"

namespace ouaf::graph {

inline bool are_lane_images(const at::Tensor& x) {
    return x.dim() == 4 && x.device().is_cpu() && x.numel() > 0 && x.size(1) % lanes == 0 &&
           (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
           x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

inline at::Tensor as_images(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

// function(T{}) with T the tensor's type in memory.
template <class Function>
auto with_type(const at::Tensor& x, Function function) {
    return x.scalar_type() == at::kFloat ? function(float{}) : function(c10::BFloat16{});
}

template <class T>
const T* elements(const at::Tensor& x) {
    return x.defined() ? x.const_data_ptr<T>() : nullptr;
}

template <class T>
T* writable(const at::Tensor& x) {
    return x.defined() ? x.mutable_data_ptr<T>() : nullptr;
}

}  // namespace ouaf::graph
