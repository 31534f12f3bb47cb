// Photos decoded once: a file of bytes that is mapped into memory, which every later run reads at the disk's speed.
//
//     StoredPhotos stored = store_photos(training.root, training.samples, {}, {.side = 256}, cache, stop, report);
//     at::Tensor first = stored.pixels[stored.rows[0].item<std::int64_t>()];      // [256, 256, 3] uint8
//
// A store is a folder of one data set and one form: `pixels`, and `index` with a line a photo: its row, width, height,
// bytes, time of change and path (with the box that was cut out). A photo that changed or is new is decoded and added.
// Runs that start at once wait for each other, and what a killed one had finished is kept.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/data/boxes.hpp"
#include "native/data/dataset.hpp"
#include "shared/preprocess/preprocess.hpp"

namespace ouaf {

// How photos are stored.
struct StoredForm {
    int side = 256;  // the whole photo, squeezed into a square: what training cuts its boxes from
    std::optional<PreprocessSpec>
        seen{};  // instead: what shared/preprocess lets a network see, before it is normalised

    int width() const { return seen ? seen->size : side; }
};

struct StoredPhotos {
    at::Tensor pixels;                   // [rows of the store, side, side, 3] uint8, mapped: reading is enough to load
    at::Tensor rows;                     // [photos that could be read] int64: where each one is
    at::Tensor aspects;                  // [the same] float32: width over height, upright
    std::vector<std::size_t> samples;    // which sample each one is, ascending
    std::vector<PhotoFailure> failures;  // ascending
};

struct StoreReport {
    // Before anything is decoded: how many photos are new, the bytes they will take, and where.
    std::function<void(std::size_t photos, std::uintmax_t bytes, const std::filesystem::path& folder)> begin;
    std::function<void(double share)> progress;  // from one thread at a time
};

// "photos" in the cache folder.
std::filesystem::path photo_cache();

// `root` names the store: paths under it are kept relative to it. `boxes`, where given, is one a sample: the part of
// the photo that counts as the photo. Every processor core decodes. Throws std::runtime_error "path: cause; what to do"
// where the disk has no room for the new photos, or `stop` is set: what is decoded stays.
StoredPhotos store_photos(const std::filesystem::path& root, std::span<const Sample> samples,
                          std::span<const std::optional<Box>> boxes, const StoredForm& form,
                          const std::filesystem::path& cache, const std::atomic<bool>& stop, const StoreReport& report);

}  // namespace ouaf
