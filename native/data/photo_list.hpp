// Lists of photos as CSV (RFC 4180): "file", "file,class" or "file,class,split" a row.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/data/dataset.hpp"

namespace ouaf {

std::string_view name_of(Split split);

struct ListedPhoto {
    std::string file;    // as the list has it
    std::string folder;  // its class; where the list doesn't say, the folder that the file lies in
    std::optional<Split> split;
};

// The rows of a list, in its order. Fields with commas, quotes or line ends stand in double quotes, quotes within them
// twice. A first row "file,class" or "file,class,split" is a heading; empty lines and a byte order mark are passed
// over. Either every row has a split or none. No photo is looked at.
// Throws std::runtime_error "list:line: cause; what to do".
std::vector<ListedPhoto> read_photo_list(const std::filesystem::path& list);

}  // namespace ouaf
