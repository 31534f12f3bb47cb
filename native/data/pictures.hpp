// What training reads: pictures of one size as bytes, ready to be cut into batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "native/data/dataset.hpp"
#include "native/data/pixel_set.hpp"

namespace ouaf {

struct Pictures {
    at::Tensor pixels;   // [n, h, w, c] uint8
    at::Tensor aspects;  // [n] float32: width over height of the photo, before it was stored h by w
    at::Tensor labels;   // [n] int64
    std::vector<DatasetClass> classes;

    std::int64_t count() const { return labels.size(0); }
};

Pictures pictures_of(const PixelSet& set);

// A part of each class, drawn by the seed, goes into the second: pictures to choose by, where a data set has none.
std::pair<Pictures, Pictures> split_pictures(const Pictures& pictures, double share, std::uint64_t seed);

}  // namespace ouaf
