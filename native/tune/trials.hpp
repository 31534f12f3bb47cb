// What became of the trials: trials.jsonl in the tuning's folder, one line for each trial and rung.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "native/tune/search.hpp"
#include "native/tune/tuning.hpp"

namespace ouaf {

// An epoch of a run, as its metrics.jsonl has it; a loss that is no number is infinite.
struct EpochMeasure {
    int epoch = 0;  // from 1
    double loss = 0;
    double validation_loss = 0;
    double validation_top1 = 0;
};

struct RunMeasures {
    std::vector<EpochMeasure> epochs;
    bool finished = false;  // to the last epoch, or stopped early because nothing got better
};

// Of the run in this folder; empty where there is none.
RunMeasures read_measures(const std::filesystem::path& run);

// Smaller is better: the loss, or the negative of top-1.
double monitored(const EpochMeasure& measure, Monitor monitor);

struct TrialRecord {
    Job job{};
    std::vector<std::string> overrides{};
    std::string failure{};  // why it failed; empty: it did not
    EpochMeasure best{};    // by the monitor
    EpochMeasure last{};
    double seconds = 0;  // since the trial went on to this rung, or was last resumed
};

Result result_of(const TrialRecord& record, Monitor monitor);

// The file is this process's, and its children's, until it and they end: trials that outlive a killed search keep the
// next one out while they save.
class TrialLog {
 public:
    // Makes trials.jsonl, or reads the one that is there; a last line that was cut short is cut off. Waits for up to a
    // minute for others to end. Throws std::runtime_error "path: cause".
    explicit TrialLog(const std::filesystem::path& folder);

    // On the disk when it returns.
    void add(const TrialRecord& record);

    const std::vector<TrialRecord>& records() const { return records_; }

 private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::filesystem::path path_;
    std::unique_ptr<std::FILE, Close> file_;
    std::vector<TrialRecord> records_;
};

// Without waiting, for those who only look.
std::vector<TrialRecord> read_records(const std::filesystem::path& folder);

}  // namespace ouaf
