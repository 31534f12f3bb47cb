// The loops of batch_norm.cpp over memory. Rows are pixels, columns channels; float32 or bfloat16.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

#include "native/graph/kernels/batch_norm.hpp"
#include "native/graph/kernels/shares.hpp"

namespace ouaf::graph {

// Adds the sums of x - shift, and after them of its square, over rows to sums [2, channels].
void sum_columns(const float* x, const float* shift, Range rows, std::int64_t channels, double* sums);
void sum_columns(const c10::BFloat16* x, const float* shift, Range rows, std::int64_t channels, double* sums);

// y = activation(x * factor + offset [+ residual]), and the mean of y over each image.
template <class T>
struct BatchNormForward {
    const T* x;
    const T* residual;  // or nullptr
    const float* factor;
    const float* offset;
    T* y;
    T* pooled;            // [n, channels], or nullptr
    std::int64_t pixels;  // of an image
    std::int64_t channels;
};

void write_normalised(const BatchNormForward<float>& job, Activation activation, Range images);
void write_normalised(const BatchNormForward<c10::BFloat16>& job, Activation activation, Range images);

// The gradient. dz, that of what the activation gets, is the upstream gradient times the activation's slope. First the
// sums of dz and of dz * normal go over all rows, then dx = factor * (dz - mean dz - normal * mean(dz * normal)).
template <class T>
struct BatchNormBackward {
    const T* x;
    const T* y;        // of ReLU
    const T* dy;       // or nullptr
    const T* dpooled;  // [n, channels], or nullptr
    const float* mean;
    const float* deviation;  // 1 / sqrt(variance + epsilon)
    const float* scale;
    const float* bias;
    T* dz;  // to be written by the first pass, or nullptr; may be dx
    T* dx;
    const float* mean_dz;  // the second pass'
    const float* mean_dz_normal;
    std::int64_t pixels;
    std::int64_t channels;
    float share_of_a_pixel;  // 1 / pixels
};

// Adds the two sums to sums [2, channels].
void sum_gradients(const BatchNormBackward<float>& job, Activation activation, Range images, double* sums);
void sum_gradients(const BatchNormBackward<c10::BFloat16>& job, Activation activation, Range images, double* sums);
void write_gradients(const BatchNormBackward<float>& job, Activation activation, Range images);
void write_gradients(const BatchNormBackward<c10::BFloat16>& job, Activation activation, Range images);

}  // namespace ouaf::graph
