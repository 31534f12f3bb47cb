// The run's folder on the disk.
#include "native/train/run_directory.hpp"

#include <sys/file.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "native/files/files.hpp"

namespace ouaf {
namespace {

// Seconds since 1970, to the millisecond.
double now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()) / 1000;
}

constexpr const char* tensorboard_prefix = "events.out.tfevents.";  // what TensorBoard looks for

}  // namespace

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

RunDirectory RunDirectory::of_another(std::filesystem::path folder) {
    RunDirectory run;
    run.folder_ = std::move(folder);
    return run;
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

// TensorBoard reads a folder's files by their names, the newest last. Older ones are emptied, not removed: whoever
// watches the folder could not go on from a file that is gone.
void RunDirectory::open_tensorboard() {
    const double time = now();
    const auto file = [&](std::int64_t second) {
        return folder_ / (tensorboard_prefix + std::to_string(second) + ".ouaf");
    };
    auto second = static_cast<std::int64_t>(time);
    while (std::filesystem::exists(file(second))) ++second;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
        if (entry.path().filename().string().starts_with(tensorboard_prefix))
            std::filesystem::resize_file(entry.path(), 0);
    tensorboard_.emplace(file(second), time);
}

void RunDirectory::add_scalars(const nlohmann::ordered_json& event) {
    const std::string kind = event.value("event", "");
    if (kind != "epoch" && kind != "iteration") return;
    ScalarEvent scalars{event.at(kind), event.value("time", 0.0), {}};
    for (const auto& [name, value] : event.items())
        if (value.is_number() && std::isfinite(value.get<double>()) && name != kind && name != "time")
            scalars.scalars.emplace_back(name, value);  // metrics.jsonl has null for what is no number
    if (!tensorboard_) open_tensorboard();
    tensorboard_->add(scalars);
}

void RunDirectory::record(const nlohmann::ordered_json& event) {
    if (!lock_) return;
    nlohmann::ordered_json stamped = event;
    stamped["time"] = now();
    metrics_ << stamped.dump() << "\n" << std::flush;
    if (!metrics_)
        throw std::runtime_error((folder_ / "metrics.jsonl").string() + ": can't be written; is the disk full?");
    ++events_;
    add_scalars(stamped);
}

void RunDirectory::keep_events(std::int64_t events) {
    if (!lock_) return;
    metrics_.close();
    open_tensorboard();
    std::ifstream lines(folder_ / "metrics.jsonl");
    std::string kept;
    std::string line;
    for (events_ = 0; events_ < events && std::getline(lines, line); ++events_) {
        kept += line + "\n";
        // A line that the disk lost when the power failed is no reason not to go on.
        const auto event = nlohmann::ordered_json::parse(line, nullptr, false);
        if (event.is_object()) add_scalars(event);
    }
    write_text(folder_ / "metrics.jsonl", kept);
    open_metrics();
}

}  // namespace ouaf
