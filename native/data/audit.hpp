// What is wrong with a data set, found by reading every photo of it.
//
//   const DividedDataset data = open_dataset("data/photos");
//   for (const LookAlikes& group : audit(data, {}).look_alikes) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "native/data/dataset.hpp"
#include "native/data/difference_hash.hpp"

namespace ouaf {

struct AuditedPhoto {
    int width = 0;  // upright, pixels; 0: could not be read
    int height = 0;
    Thumbnail thumbnail{};
    std::uint64_t hash = 0;  // see difference_hash
    std::string error;       // why it could not be read
};

// Photos of one picture, or nearly.
struct LookAlikes {
    std::vector<std::size_t> photos;  // two or more, ascending
    bool two_labels = false;          // they are not all of one class
    bool leak = false;                // one is trained on, another is to measure by: of validation or test
};

struct Audit {
    std::vector<AuditedPhoto> photos;  // as in the data set
    std::vector<LookAlikes> look_alikes;
};

// Reads all photos, one processor core each. `progress`, if any, is called from one thread at a time.
Audit audit(const DividedDataset& data, const std::function<void(std::size_t done, std::size_t total)>& progress);

}  // namespace ouaf
