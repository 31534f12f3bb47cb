// Whether a folder is the site that was published: here after writing it, or where a host has copied it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ouaf::site {

struct Amount {
    std::size_t files = 0;
    std::uintmax_t bytes = 0;
};

struct Findings {
    std::vector<std::string> faults;  // each names a file, what is wrong with it, and what to do
    Amount page;                      // all but
    Amount for_graphics_cards;        // which nobody fetches at first
};

// Every file of the list is there with its size and hash, there is no other file, and no address leaves the folder.
// Throws std::runtime_error where the list itself cannot be read.
Findings check(const std::filesystem::path& site);

}  // namespace ouaf::site
