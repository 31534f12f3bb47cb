// Finds the photos of a data set and names its classes.
#include "native/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <stdexcept>

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

std::vector<fs::path> sorted_entries(const fs::path& folder) try {
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().front() != '.') entries.push_back(entry.path());
    }
    std::sort(entries.begin(), entries.end());
    return entries;
} catch (const fs::filesystem_error& error) {
    throw std::runtime_error(folder.string() + ": the folder can't be read (" + error.code().message() +
                             "); check its permissions");
}

// One folder a class; folders without photos are no classes.
Dataset read_tree(const fs::path& root) {
    Dataset data{root, {}, {}};
    for (const fs::path& folder : sorted_entries(root)) {
        if (!fs::is_directory(folder)) continue;
        const std::size_t before = data.samples.size();
        for (const fs::path& photo : sorted_entries(folder)) {
            if (is_photo(photo) && !fs::is_directory(photo)) data.samples.push_back({photo, data.classes.size()});
        }
        if (data.samples.size() > before) data.classes.push_back(class_of_folder(folder.filename().string()));
    }
    return data;
}

// "path" or "path,class" a line. Classes come out in order of their names.
Dataset read_list(const fs::path& root, const fs::path& list) {
    std::ifstream lines(list);
    if (!lines) throw std::runtime_error(list.string() + ": the list can't be read; check its path");
    const fs::path base = fs::is_directory(root / "Images") ? root / "Images" : root;

    std::vector<std::pair<fs::path, std::string>> rows;
    std::map<std::string, std::size_t> labels;
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a spreadsheet's byte order mark
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty() || (number == 1 && line == "file,class")) continue;
        const std::size_t comma = line.rfind(',');
        const fs::path file = line.substr(0, comma);
        const std::string folder =
            comma == std::string::npos ? file.parent_path().filename().string() : line.substr(comma + 1);
        if (file.empty() || folder.empty()) {
            throw std::runtime_error(list.string() + ":" + std::to_string(number) +
                                     ": a line must be a photo's path, a comma and its class; the class may be left "
                                     "out where the photo lies in a folder of that name");
        }
        rows.emplace_back(file.is_absolute() ? file : base / file, folder);
        labels.emplace(folder, 0);
    }
    if (rows.empty()) throw std::runtime_error(list.string() + ": the list has no photos in it");
    Dataset data{root, {}, {}};
    for (auto& [folder, label] : labels) {
        label = data.classes.size();
        data.classes.push_back(class_of_folder(folder));
    }
    for (auto& [path, folder] : rows) data.samples.push_back({std::move(path), labels.at(folder)});
    return data;
}

fs::path official_list(const fs::path& root, Split split) {
    return root / "lists" / (split == Split::train ? "train_list.txt" : "test_list.txt");
}

// The folder of a split in a data set that comes divided, or nothing. A lone folder "train" is a class: of vehicles.
std::optional<fs::path> split_folder(const fs::path& root, Split split) {
    if (!fs::is_directory(root / "train")) return std::nullopt;
    for (const char* name : {"test", "val", "valid"}) {
        if (fs::is_directory(root / name)) return root / (split == Split::train ? "train" : name);
    }
    return std::nullopt;
}

// The layouts that come divided.
std::optional<Dataset> open_divided(const fs::path& root, Split split) {
    if (!fs::is_directory(root))
        throw std::runtime_error(root.string() + ": there is no such folder; give the data set's folder");
    if (fs::is_directory(root / "Images") && fs::exists(official_list(root, split))) {
        return read_list(root, official_list(root, split));
    }
    if (const auto folder = split_folder(root, split)) return read_tree(*folder);
    return std::nullopt;
}

Dataset checked(Dataset data) {
    if (data.samples.empty()) {
        throw std::runtime_error(
            data.root.string() +
            ": no photos are there; a data set has one folder a class with JPEG, PNG, WebP or BMP files in it");
    }
    return data;
}

bool is_held_out(std::size_t position) { return position % 5 == 4; }

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

Dataset open_dataset(const fs::path& root, Split split) {
    if (auto divided = open_divided(root, split)) return checked(std::move(*divided));
    Dataset all = checked(read_tree(root));
    Dataset part{all.root, all.classes, {}};
    std::size_t position = 0, label = 0;
    for (Sample& sample : all.samples) {
        if (sample.label != label) position = 0;
        label = sample.label;
        if (is_held_out(position++) == (split == Split::test)) part.samples.push_back(std::move(sample));
    }
    return checked(std::move(part));
}

Dataset open_evaluation_set(const fs::path& root, const std::optional<fs::path>& list) {
    if (list) return checked(read_list(root, *list));
    if (auto divided = open_divided(root, Split::test)) return checked(std::move(*divided));
    return checked(read_tree(root));
}

}  // namespace ouaf
