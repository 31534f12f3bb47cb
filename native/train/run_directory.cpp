// The run's folder on the disk.
#include "native/train/run_directory.hpp"

#include <sys/file.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "native/files/files.hpp"

namespace ouaf {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& folder) {
    throw std::runtime_error(folder.string() +
                             ": a run of this name is there; go on with it by --resume, choose another with --out, or "
                             "remove that folder");
}

}  // namespace

void RunDirectory::check_free(const std::filesystem::path& folder) {
    if (std::filesystem::exists(folder)) refuse(folder);
}

RunDirectory::RunDirectory(std::filesystem::path folder, const Recipe& recipe) : folder_(std::move(folder)) {
    if (folder_.has_parent_path()) std::filesystem::create_directories(folder_.parent_path());
    if (!std::filesystem::create_directory(folder_)) refuse(folder_);
    lock();
    write_text(this->recipe(), to_toml(recipe));
    open_metrics();
}

RunDirectory::RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {
    if (!std::filesystem::exists(last_checkpoint()))
        throw std::runtime_error(
            folder_.string() +
            ": there is no run to go on with, as it has no last.safetensors; start one with a recipe");
    lock();
    open_metrics();
}

void RunDirectory::lock() {
    const std::filesystem::path path = folder_ / "lock";
    lock_.reset(std::fopen(path.c_str(), "w"));
    if (!lock_) throw std::runtime_error(path.string() + ": can't be written; check the folder's permissions");
    if (::flock(::fileno(lock_.get()), LOCK_EX | LOCK_NB) != 0)
        throw std::runtime_error(folder_.string() + ": another process trains here; wait for it, or stop it");
}

void RunDirectory::open_metrics() {
    metrics_.open(folder_ / "metrics.jsonl", std::ios::app);
    if (!metrics_) throw std::runtime_error((folder_ / "metrics.jsonl").string() + ": can't be written");
}

void RunDirectory::record(const nlohmann::ordered_json& event) {
    metrics_ << event.dump() << "\n" << std::flush;
    if (!metrics_)
        throw std::runtime_error((folder_ / "metrics.jsonl").string() + ": can't be written; is the disk full?");
    ++events_;
}

void RunDirectory::keep_events(std::int64_t events) {
    metrics_.close();
    std::ifstream lines(folder_ / "metrics.jsonl");
    std::string kept;
    std::string line;
    for (events_ = 0; events_ < events && std::getline(lines, line); ++events_) kept += line + "\n";
    write_text(folder_ / "metrics.jsonl", kept);
    open_metrics();
}

}  // namespace ouaf
