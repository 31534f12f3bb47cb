// site_files.js: every file of a published site with its size and hash. The service worker keeps what is in `kept`; the
// rest (the downloads, examples, the service worker itself) is there for whoever checks a copy of the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf::site {

struct File {
    std::string path;  // relative to the site's folder, with slashes
    std::uintmax_t bytes = 0;
    std::string sha256;
};

struct FileList {
    std::string version;  // another one as soon as a byte of any file is
    std::vector<File> kept;
    std::vector<File> others;
};

constexpr const char* list_name = "site_files.js";

// Whether a file is of the runtime for graphics cards, which a visitor fetches who asks for it, and nobody at first.
bool only_for_graphics_cards(std::string_view path);

// All regular files below the folder, sorted.
std::vector<std::string> files_of(const std::filesystem::path& site);

// Lists the folder as it lies there and writes site_files.js into it.
void write_file_list(const std::filesystem::path& site);

// Throws std::runtime_error "path: cause; what to do" for a list that is missing, cut or changed.
FileList read_file_list(const std::filesystem::path& site);

}  // namespace ouaf::site
