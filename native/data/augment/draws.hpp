// Random numbers of a batch, one a picture. All are drawn on the CPU, before the first picture is changed: the
// generator's state alone decides them, whatever device the pictures are on and however they are worked through.
#pragma once

#include <ATen/ATen.h>

namespace ouaf {

inline at::Tensor uniform(std::int64_t n, double low, double high, at::Generator& generator) {
    return at::rand({n}, generator, at::kFloat) * (high - low) + low;
}

// [n] bool
inline at::Tensor happens(std::int64_t n, double likely, at::Generator& generator) {
    return at::rand({n}, generator, at::kFloat) < likely;
}

// The draws of pictures `first` to `last`; what was not drawn stays undefined.
inline at::Tensor part_of(const at::Tensor& draws, std::int64_t first, std::int64_t last) {
    return draws.defined() ? draws.slice(0, first, last) : draws;
}

// [n] on the CPU -> [n, 1, 1, 1] where the pictures are.
inline at::Tensor each_picture(const at::Tensor& values, const at::Tensor& pictures) {
    return values.to(pictures.device(), pictures.scalar_type()).view({-1, 1, 1, 1});
}

}  // namespace ouaf
