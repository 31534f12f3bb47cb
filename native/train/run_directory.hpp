// runs/<name>/: what a run was asked to do, what happened, and what came out.
//   recipe.toml     as it was resolved
//   metrics.jsonl   one JSON object an event
//   model/          the bundle
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json_fwd.hpp>

#include "native/train/recipe.hpp"

namespace ouaf {

class RunDirectory {
 public:
    // Makes the folder. Throws std::runtime_error when it is there already: no run overwrites another.
    RunDirectory(std::filesystem::path folder, const Recipe& recipe);

    // Appends one line to metrics.jsonl, at once.
    void record(const nlohmann::ordered_json& event);

    std::filesystem::path model() const { return folder_ / "model"; }

 private:
    std::filesystem::path folder_;
    std::ofstream metrics_;
};

}  // namespace ouaf
