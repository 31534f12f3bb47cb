// Whole files in and out, with errors that name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf {

// Throws std::runtime_error "path: cause".
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

// Written beside the path, flushed to the disk and renamed over it: a reader sees the old file or the new one, whole.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace ouaf
