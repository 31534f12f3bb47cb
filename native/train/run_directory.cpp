// The run's folder on the disk.
#include "native/train/run_directory.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "native/bundle/files.hpp"

namespace ouaf {

RunDirectory::RunDirectory(std::filesystem::path folder, const Recipe& recipe) : folder_(std::move(folder)) {
    if (folder_.has_parent_path()) std::filesystem::create_directories(folder_.parent_path());
    if (!std::filesystem::create_directory(folder_)) {
        throw std::runtime_error(folder_.string() +
                                 ": a run of this name is there; choose another with --out, or remove that folder");
    }
    write_text(folder_ / "recipe.toml", to_toml(recipe));
    metrics_.open(folder_ / "metrics.jsonl");
    if (!metrics_) throw std::runtime_error((folder_ / "metrics.jsonl").string() + ": can't be written");
}

void RunDirectory::record(const nlohmann::ordered_json& event) {
    metrics_ << event.dump() << "\n" << std::flush;
    if (!metrics_)
        throw std::runtime_error((folder_ / "metrics.jsonl").string() + ": can't be written; is the disk full?");
}

}  // namespace ouaf
