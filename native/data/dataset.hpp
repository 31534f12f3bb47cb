// Labelled photos: one folder a class, folders train/ and test/, Stanford Dogs with its official lists, or a CSV file.
//
//   Dataset test = open_evaluation_set("data/stanford-dogs", std::nullopt);
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ouaf {

// A class as its folder names it. Folders "n02085620-Chihuahua" (ImageNet's and Stanford Dogs' way) have the WordNet id
// before the dash; for any other folder id is the folder's name. The name has spaces for underscores.
struct DatasetClass {
    std::string folder;
    std::string id;
    std::string name;
};

DatasetClass class_of_folder(const std::string& folder);

struct Sample {
    std::filesystem::path path;
    std::size_t label = 0;  // index into classes
};

struct PhotoFailure {
    std::size_t sample = 0;  // index into the samples
    std::string cause;
};

struct Dataset {
    std::filesystem::path root;
    std::vector<DatasetClass> classes;  // in order of their folders' names
    std::vector<Sample> samples;
};

enum class Split { train, validation, test };

struct DividedDataset {
    Dataset all;
    std::vector<Split> splits;  // of each photo; empty where the data set does not come divided
};

// Every photo of a data set, which is one of:
//   - Stanford Dogs (Images/ and lists/ in `root`), divided by the official lists
//   - folders train/ and test/ in `root`, one folder a class inside, and for validation val/, valid/ or validation/;
//     where there is no test/, that one is the test
//   - one folder a class, not divided
//   - a CSV file, see photo_list.hpp, with paths relative to its folder; divided where it has a third column
// Throws std::runtime_error "path: cause; what to do" when nothing usable is there.
DividedDataset open_dataset(const std::filesystem::path& root);

// The photos of one split, with the classes of all.
Dataset part_of(const DividedDataset& data, Split split);

// What a model is evaluated on: the test of a data set that comes divided, every photo of another. With `list`, its
// photos instead (those of its test, where it has splits), with paths relative to `root` or root/Images.
Dataset open_evaluation_set(const std::filesystem::path& root, const std::optional<std::filesystem::path>& list);

}  // namespace ouaf
