// Finds the photos of a data set and names its classes.
#include "native/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <utility>

#include "native/data/photo_list.hpp"

namespace ouaf {
namespace {

namespace fs = std::filesystem;

bool is_photo(const fs::path& path) {
    constexpr std::array<std::string_view, 6> extensions{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".jpe"};
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

using Photos = std::vector<ListedPhoto>;  // `file` is the whole path here

std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) try {
    std::vector<fs::directory_entry> entries;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().front() != '.') entries.push_back(entry);
    }
    std::sort(entries.begin(), entries.end());
    return entries;
} catch (const fs::filesystem_error& error) {
    throw std::runtime_error(folder.string() + ": the folder can't be read (" + error.code().message() +
                             "); check its permissions");
}

// One folder a class; folders without photos are no classes.
void add_tree(const fs::path& root, std::optional<Split> split, Photos& photos) {
    for (const fs::directory_entry& folder : sorted_entries(root)) {
        if (!folder.is_directory()) continue;
        for (const fs::directory_entry& photo : sorted_entries(folder)) {
            if (is_photo(photo.path()) && !photo.is_directory())
                photos.push_back({photo.path().string(), folder.path().filename().string(), split});
        }
    }
}

void add_list(const fs::path& base, const fs::path& list, std::optional<Split> split, Photos& photos) {
    for (ListedPhoto& photo : read_photo_list(list)) {
        if (photo.file.front() != '/') photo.file = (base / photo.file).string();
        if (split) photo.split = split;
        photos.push_back(std::move(photo));
    }
}

std::optional<fs::path> first_folder(const fs::path& root, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (fs::is_directory(root / name)) return root / name;
    return std::nullopt;
}

void add_layout(const fs::path& root, Photos& photos) {
    const fs::path train_list = root / "lists" / "train_list.txt";
    if (fs::is_directory(root / "Images") && fs::exists(train_list)) {
        add_list(root / "Images", train_list, Split::train, photos);
        add_list(root / "Images", root / "lists" / "test_list.txt", Split::test, photos);
        return;
    }
    auto validation = first_folder(root, {"val", "valid", "validation"});
    auto test = first_folder(root, {"test"});
    if (!test) test = std::exchange(validation, std::nullopt);
    if (!test || !fs::is_directory(root / "train"))
        return add_tree(root, std::nullopt, photos);  // a class may be "train"
    add_tree(root / "train", Split::train, photos);
    if (validation) add_tree(*validation, Split::validation, photos);
    add_tree(*test, Split::test, photos);
}

// Classes come out in order of their folders' names.
DividedDataset labelled(const fs::path& root, Photos photos) {
    if (photos.empty()) {
        throw std::runtime_error(
            root.string() +
            ": no photos are there; a data set has one folder a class with JPEG, PNG, WebP or BMP files in it");
    }
    std::map<std::string, std::size_t> labels;
    for (const ListedPhoto& photo : photos) labels.emplace(photo.folder, 0);
    DividedDataset data{{root, {}, {}}, {}};
    for (auto& [folder, label] : labels) {
        label = data.all.classes.size();
        data.all.classes.push_back(class_of_folder(folder));
    }
    for (ListedPhoto& photo : photos) {
        data.all.samples.push_back({std::move(photo.file), labels.at(photo.folder)});
        if (photo.split) data.splits.push_back(*photo.split);
    }
    return data;
}

}  // namespace

DatasetClass class_of_folder(const std::string& folder) {
    constexpr std::size_t digits = 8;
    const bool has_wordnet_id = folder.size() > digits + 2 && folder[0] == 'n' && folder[digits + 1] == '-' &&
                                std::all_of(folder.begin() + 1, folder.begin() + 1 + digits,
                                            [](unsigned char c) { return std::isdigit(c) != 0; });
    DatasetClass result{folder, folder, folder};
    if (has_wordnet_id) {
        result.id = folder.substr(0, digits + 1);
        result.name = folder.substr(digits + 2);
    }
    std::replace(result.name.begin(), result.name.end(), '_', ' ');
    return result;
}

DividedDataset open_dataset(const fs::path& root) {
    Photos photos;
    if (fs::is_directory(root)) add_layout(root, photos);
    else if (root.extension() == ".csv" && fs::exists(root))
        add_list(fs::absolute(root).parent_path(), root, std::nullopt, photos);
    else throw std::runtime_error(root.string() + ": there is no such folder or CSV file; give the data set's");
    return labelled(root, std::move(photos));
}

Dataset part_of(const DividedDataset& data, Split split) {
    Dataset part{data.all.root, data.all.classes, {}};
    for (std::size_t i = 0; i < data.splits.size(); ++i)
        if (data.splits[i] == split) part.samples.push_back(data.all.samples[i]);
    return part;
}

Dataset open_evaluation_set(const fs::path& root, const std::optional<fs::path>& list) {
    DividedDataset data;
    if (list) {
        Photos photos;
        add_list(fs::is_directory(root / "Images") ? root / "Images" : root, *list, std::nullopt, photos);
        data = labelled(root, std::move(photos));
    } else {
        data = open_dataset(root);
    }
    if (data.splits.empty()) return std::move(data.all);
    Dataset test = part_of(data, Split::test);
    if (test.samples.empty())
        throw std::runtime_error((list ? *list : root).string() + ": none of its photos is of the test split");
    return test;
}

}  // namespace ouaf
