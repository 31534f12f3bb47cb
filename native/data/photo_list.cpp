// See photo_list.hpp. RFC 4180: https://www.rfc-editor.org/rfc/rfc4180
#include "native/data/photo_list.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "native/files/files.hpp"

namespace ouaf {
namespace {

constexpr std::array<std::string_view, 3> split_names{"train", "validation", "test"};  // by the enum's values

struct Row {
    std::size_t line = 0;  // where it begins, from 1
    std::vector<std::string> fields;
};

[[noreturn]] void fail(const std::filesystem::path& list, std::size_t line, const std::string& cause) {
    throw std::runtime_error(list.string() + ":" + std::to_string(line) + ": " + cause);
}

// Takes rows off a text, one at a time.
class Rows {
 public:
    Rows(const std::filesystem::path& list, std::string_view text) : list_(list), rest_(text) {
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    }

    // False at the end of the text.
    bool next(Row& row) {
        if (rest_.empty()) return false;
        row = {line_, {}};
        do row.fields.push_back(rest_.starts_with('"') ? quoted() : plain());
        while (take(","));
        if (!take("\r\n")) take("\n");
        ++line_;
        return true;
    }

 private:
    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    bool at_end_of_field() const {
        return rest_.empty() || rest_[0] == ',' || rest_[0] == '\n' || rest_.starts_with("\r\n");
    }

    std::string plain() {
        const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
        std::string field(rest_.substr(0, end));
        rest_.remove_prefix(end);
        if (!rest_.starts_with(',') && field.ends_with('\r')) field.pop_back();
        return field;
    }

    std::string quoted() {
        const std::size_t opened = line_;
        std::string field;
        take("\"");
        while (!rest_.empty()) {
            const std::size_t end = std::min(rest_.find('"'), rest_.size());
            line_ += static_cast<std::size_t>(std::count(rest_.begin(), rest_.begin() + static_cast<long>(end), '\n'));
            field += rest_.substr(0, end);
            rest_.remove_prefix(end);
            if (take("\"\"")) {
                field += '"';
            } else if (take("\"")) {
                if (!at_end_of_field())
                    fail(list_, line_, "text stands after a closing quote; write a quote within quotes twice");
                return field;
            }
        }
        fail(list_, opened, "a quote is opened and not closed; close it, or write a quote within quotes twice");
    }

    const std::filesystem::path& list_;
    std::string_view rest_;
    std::size_t line_ = 1;
};

bool is_heading(const std::vector<std::string>& fields) {
    static const std::vector<std::string> names{"file", "class", "split"};
    return fields.size() > 1 && fields.size() <= names.size() &&
           std::equal(fields.begin(), fields.end(), names.begin());
}

ListedPhoto photo_of(const std::filesystem::path& list, Row row) {
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
    Rows rows(list, text);
    bool first = true;
    for (Row row; rows.next(row);) {
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
