// Small pictures of one size as their authors publish them: MNIST in IDX files, CIFAR-10 in its binary batches or in
// PNG batches of one picture a row.
//
//     if (auto set = open_pixel_set("data/mnist", Split::train)) use(set->pixels);
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "native/data/dataset.hpp"

namespace ouaf {

struct PixelSet {
    std::int64_t channels = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::vector<std::uint8_t> pixels;  // [count, height, width, channels]
    std::vector<std::int64_t> labels;
    std::vector<DatasetClass> classes;

    std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

// The files may lie in `root` or in root/data, under the names that their authors gave them. Nothing where there are
// none, and for validation, which neither has. Throws std::runtime_error "path: cause; what to do" for files that are
// cut short or say something else.
std::optional<PixelSet> open_pixel_set(const std::filesystem::path& root, Split split);

}  // namespace ouaf
