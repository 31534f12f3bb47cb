// A data set as the Data panel shows it, read on a thread that may take its time.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "native/data/audit.hpp"
#include "native/data/dataset.hpp"

namespace ouaf::dashboard {

struct DataView {
    std::filesystem::path root;
    DividedDataset data;
    std::vector<std::array<std::size_t, 3>> counts;  // of each class: training, validation, test; all in the first
                                                     // where the data set does not come divided
    std::vector<std::vector<std::size_t>> of_class;  // its photos
    std::string error;                               // why it can't be opened
};

DataView open_data(const std::filesystem::path& root);

// What is wrong with the photos, in lines: unreadable ones first, then photos of one picture with two labels, those
// that leak from training into the test, and plain doubles.
struct Finding {
    std::string what;
    std::vector<std::size_t> photos;
};

// Throws what `progress` throws.
std::vector<Finding> find_faults(const DividedDataset& data, const std::function<void(double share)>& progress);

}  // namespace ouaf::dashboard
