// A folder to work in, with drawn pictures and recipes of networks that are trained in seconds.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ouaf::dashboard {

struct Workplace {
    // The folder becomes the one that the program works in: recipes/ and runs/ are found there.
    Workplace();
    ~Workplace();

    std::filesystem::path folder;

    std::filesystem::path run(const std::string& name) const { return folder / "runs" / name; }
    std::filesystem::path photo(const std::string& name) const;  // "circle/circle_000.jpg", of the test
};

// The lines of metrics.jsonl of this kind.
std::vector<nlohmann::json> events_of(const std::filesystem::path& run, const std::string& kind);

}  // namespace ouaf::dashboard
