// A run's folder as the dashboard shows it: read on a background thread, drawn from a copy that does not change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "native/dashboard/curve.hpp"
#include "native/train/run_log.hpp"
#include "native/train/run_summary.hpp"

namespace ouaf::dashboard {

// The curves of a run; x is epochs (iterations where a head was fitted).
struct RunCurves {
    Curve loss;             // of each step, or iteration
    Curve learning_rate;    // of each step
    Curve gradient_norm;    //
    Curve training_loss;    // of each epoch
    Curve validation_loss;  //
    Curve validation_top1;  // shares
    Curve validation_top5;  //
    Curve images_per_second;
    Curve data_share;  // of the time, spent waiting for pictures
};

struct RunView {
    std::filesystem::path folder;
    RunCurves curves;
    RunSummary summary;
    std::map<std::string, std::string> keys;            // of its recipe
    std::vector<std::string> notes;                     // setbacks and changes by hand, a line each
    std::vector<std::pair<std::string, double>> tests;  // how the weights were stored, and top-1, a share
    std::size_t events = 0;
    std::size_t damaged = 0;      // lines of metrics.jsonl that are no event
    bool half_line = false;       // its last line is still being written, or was cut off
    bool by_iterations = false;   // a head was fitted
    bool has_model = false;       // a bundle to test, export and try
    bool has_report = false;      // of its test, see test_report.hpp
    std::string checkpoint;       // what is wrong with last.safetensors; empty where nothing is
    std::string error;            // why the folder can't be read as a run; empty where it can
    std::optional<double> began;  // seconds since 1970
    std::uint64_t version = 0;    // another one after every change
};

class RunReader {
 public:
    explicit RunReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // What the folder says now; null where that is what it said the last time.
    std::shared_ptr<const RunView> read();

 private:
    std::shared_ptr<RunView> view() const;

    std::filesystem::path folder_;
    std::optional<RunLog> log_;
    std::string last_error_;
    std::uint64_t version_ = 0;
    std::uint64_t size_ = 0;  // of metrics.jsonl
    bool had_model_ = false;
    bool had_report_ = false;
};

// The folders below `root` that hold a run, the one with the latest events first.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& root);

// What is wrong with a file of the safetensors format, by its header and its size alone: "" for nothing. The values are
// not read.
std::string safetensors_fault(const std::filesystem::path& path);

}  // namespace ouaf::dashboard
