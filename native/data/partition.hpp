// What a run trains on, chooses by and is measured on: a data set cut into three.
//
//   Partition parts = open_partition({.root = "data/stanford-dogs", .validation = 0.1});
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "native/data/dataset.hpp"

namespace ouaf {

struct DataRecipe {
    std::filesystem::path root;        // see open_dataset
    double validation = 0.1;           // share of the training photos of each class that the run is watched by
    std::array<double, 3> split{};     // shares for training, validation and test; all 0: as the data set comes divided
    std::vector<std::string> classes;  // by folder, id or name; empty: all
    std::uint64_t seed = 0;            // of what is drawn
};

// The same classes in the same order in all three; photos in order of their paths.
struct Partition {
    Dataset train;
    Dataset validation;
    Dataset test;
};

// With `split`, every class is shuffled by the seed and cut by the shares, each to within one photo; whatever the data
// set says of its division is left aside. Without, the data set's own division holds, of one that has none every fifth
// photo of a class is the test; and where it has no validation, the share `validation` of the training photos of each
// class is drawn for it. What is drawn of a class depends on the seed, its folder's name and its paths' order alone,
// and is the same on every machine. No photo is opened.
// Throws std::runtime_error "path: cause; what to do" for classes that are not there (with near ones), and for classes
// that are left without a photo to train on.
Partition open_partition(const DataRecipe& recipe);

// A CSV file that open_partition makes the same partition of, wherever it is opened from: paths are relative to the
// list for photos below its folder, else absolute.
void write_partition(const std::filesystem::path& list, const Partition& partition);

}  // namespace ouaf
