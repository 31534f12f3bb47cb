// Labelled photos in folders: one folder a class, or Stanford Dogs with its official lists.
//
//   Dataset test = open_dataset("data/stanford-dogs", Split::test);
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

struct Dataset {
    std::filesystem::path root;
    std::vector<DatasetClass> classes;  // in order of their folders' names
    std::vector<Sample> samples;
};

enum class Split { train, test };

// A split of a data set to train on and to report with:
//   - Stanford Dogs (Images/ and lists/ in `root`): the official lists
//   - folders train/ and test/ in `root` (test/ may be called val/ or valid/), one folder a class inside
//   - one folder a class: of each class every fifth photo by name is the test
// Throws std::runtime_error "path: cause; what to do" when nothing usable is there.
Dataset open_dataset(const std::filesystem::path& root, Split split);

// What a model is evaluated on: the test split of the first two layouts, every photo of the third. With `list`, its
// photos instead: a line each, a path relative to `root` (or root/Images) and, after a comma, the class; without one
// the class is the photo's folder. A first line "file,class" is a heading.
Dataset open_evaluation_set(const std::filesystem::path& root, const std::optional<std::filesystem::path>& list);

}  // namespace ouaf
