// See photo_list.hpp.
#include "native/data/photo_list.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "native/files/csv.hpp"
#include "native/files/files.hpp"

namespace ouaf {
namespace {

constexpr std::array<std::string_view, 3> split_names{"train", "validation", "test"};  // by the enum's values

[[noreturn]] void fail(const std::filesystem::path& list, std::size_t line, const std::string& cause) {
    throw std::runtime_error(list.string() + ":" + std::to_string(line) + ": " + cause);
}

bool is_heading(const std::vector<std::string>& fields) {
    static const std::vector<std::string> names{"file", "class", "split"};
    return fields.size() > 1 && fields.size() <= names.size() &&
           std::equal(fields.begin(), fields.end(), names.begin());
}

ListedPhoto photo_of(const std::filesystem::path& list, CsvRow row) {
    ListedPhoto photo;
    photo.file = std::move(row.fields[0]);
    photo.folder = row.fields.size() > 1 ? std::move(row.fields[1])
                                         : std::filesystem::path(photo.file).parent_path().filename().string();
    if (photo.file.empty() || photo.folder.empty()) {
        fail(list, row.line,
             "a line must be a photo's path, a comma and its class; the class may be left out where the photo lies in "
             "a folder of that name");
    }
    if (row.fields.size() < 3) return photo;
    const auto* const name = std::find(split_names.begin(), split_names.end(), row.fields[2]);
    if (row.fields.size() > split_names.size() || name == split_names.end()) {
        fail(list, row.line,
             "a third field must be a split: train, validation or test; put a file name with a comma in double quotes");
    }
    photo.split = static_cast<Split>(name - split_names.begin());
    return photo;
}

}  // namespace

std::string_view name_of(Split split) { return split_names.at(static_cast<std::size_t>(split)); }

std::vector<ListedPhoto> read_photo_list(const std::filesystem::path& list) {
    std::string text;
    try {
        text = read_text(list);
    } catch (const std::runtime_error&) {
        throw std::runtime_error(list.string() + ": the list can't be read; check its path");
    }
    std::vector<ListedPhoto> photos;
    bool first = true;
    for (CsvRow& row : csv_rows(list, text)) {
        if (row.fields.size() == 1 && row.fields[0].empty()) continue;
        if (std::exchange(first, false) && is_heading(row.fields)) continue;
        const std::size_t line = row.line;
        photos.push_back(photo_of(list, std::move(row)));
        if (photos.back().split.has_value() != photos.front().split.has_value())
            fail(list, line, "some lines have a split and some don't; give it in every line or in none");
    }
    if (photos.empty()) throw std::runtime_error(list.string() + ": the list has no photos in it");
    return photos;
}

}  // namespace ouaf
