// What training and evaluation read: labelled pictures of one size as bytes, in memory or mapped, ready to be gathered
// into batches.
//
//     Batch batch = augment(pictures.gather(rows), pictures.aspects.index_select(0, rows), …);
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "native/data/dataset.hpp"
#include "native/data/photo_store.hpp"
#include "native/data/pixel_set.hpp"

namespace ouaf {

struct Pictures {
    at::Tensor pixels;   // [m, h, w, c] uint8
    at::Tensor rows;     // [n] int64: which of them each picture is
    at::Tensor aspects;  // [n] float32: width over height of the photo, before it was stored h by w
    at::Tensor labels;   // [n] int64
    std::vector<DatasetClass> classes;

    std::int64_t count() const { return labels.size(0); }
    std::int64_t channels() const { return pixels.size(3); }

    // The pictures at these places, [k] int64 -> [k, h, w, c] uint8.
    at::Tensor gather(const at::Tensor& places) const;
};

Pictures pictures_of(const PixelSet& set);

// `data` is what was stored; photos that could not be read are left out.
Pictures pictures_of(const StoredPhotos& stored, const Dataset& data);

// A part of each class, drawn by the seed, goes into the second: pictures to choose by, where a data set has none.
std::pair<Pictures, Pictures> split_pictures(const Pictures& pictures, double share, std::uint64_t seed);

// [n, s, s, c] uint8 -> [n, c, s, s] float32, channels_last: what a network sees in use, the bytes of
// shared/preprocess's normalise for every channel.
at::Tensor normalised(const at::Tensor& pictures, std::span<const float> mean, std::span<const float> std);

}  // namespace ouaf
