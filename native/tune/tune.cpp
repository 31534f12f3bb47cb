// See tune.hpp.
#include "native/tune/tune.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "native/files/files.hpp"
#include "native/train/recipe.hpp"
#include "native/tune/process.hpp"

namespace ouaf {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Running {
    Job job{};
    pid_t process = 0;
    std::uintmax_t log_start = 0;  // what earlier processes of the trial printed
    Clock::time_point start{};
};

// The folder with the tuning and the recipe, or the same ones there already.
void open_folder(const Tuning& tuning, const std::string& data, const fs::path& folder) {
    Recipe recipe = read_recipe(tuning.recipe);
    if (!data.empty()) recipe.data.root = data;
    if (fs::exists(folder / "tune.toml")) {
        Tuning there = read_tuning(folder / "tune.toml");
        there.parallel = tuning.parallel;  // this may change
        if (to_toml(there) != to_toml(tuning) || to_toml(read_recipe(there.recipe)) != to_toml(recipe))
            throw std::runtime_error(folder.string() + ": holds another search; choose another folder with --out");
    } else if (fs::exists(folder)) {
        throw std::runtime_error(folder.string() + ": is there and holds no search; choose another with --out");
    }
    fs::create_directories(folder / "trials");
    write_text(folder / "recipe.toml", to_toml(recipe));
    write_text(folder / "tune.toml", to_toml(tuning));
}

class Runner {
 public:
    Runner(const Tuning& tuning, const fs::path& folder) : tuning_(tuning), folder_(folder), log_(folder) {}

    int running() const { return static_cast<int>(running_.size()); }

    // Whether there was something to start.
    bool start_next(const TuningReport& report) {
        std::vector<Result> results;
        for (const TrialRecord& record : log_.records()) results.push_back(result_of(record, tuning_.monitor));
        std::vector<Job> jobs;
        for (const Running& each : running_) jobs.push_back(each.job);
        const std::optional<Job> next = next_job(search_of(tuning_), results, jobs);
        if (!next) return false;
        const fs::path run = folder_of(*next);
        if (read_measures(run).finished && fs::exists(run / "model.onnx")) {
            record({.job = *next, .start = Clock::now()}, "", report);
            return true;
        }
        running_.push_back({*next, 0, 0, Clock::now()});
        start(running_.back());
        return true;
    }

    void take_ended(bool stopping, const TuningReport& report) {
        for (std::size_t i = 0; i < running_.size();) {
            const std::optional<int> status = ended(running_[i].process);
            if (!status) {
                ++i;
                continue;
            }
            const Running& trial = running_[i];
            const bool reached = *status == 0 && has_reached(trial.job);
            const bool failed = !ended_as_asked(*status);
            if (reached) record(trial, "", report);
            else if (failed) record(trial, cause_of(trial, *status), report);
            else if (!stopping) start(running_[i]);  // somebody stopped this trial alone
            if (reached || failed || stopping) running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            else ++i;
        }
    }

    void ask_to_stop() const {
        for (const Running& each : running_) ::kill(each.process, SIGTERM);
    }

 private:
    fs::path folder_of(const Job& job) const {
        char name[16];
        std::snprintf(name, sizeof name, "%03d", job.trial);
        return folder_ / "trials" / name;
    }
    fs::path log_of(const Job& job) const { return folder_of(job).string() + ".log"; }

    bool is_top(const Job& job) const { return job.rung + 1 == static_cast<int>(tuning_.rungs.size()); }
    int epochs_of(const Job& job) const { return tuning_.rungs[static_cast<std::size_t>(job.rung)]; }

    std::vector<std::string> overrides_of(const Job& job) const {
        return overrides(tuning_.space, tuning_.values[static_cast<std::size_t>(job.trial)]);
    }

    // As the trial said it, or how its process ended.
    std::string cause_of(const Running& trial, int status) const {
        const std::string text = read_text(log_of(trial.job)).substr(trial.log_start);
        const std::string mark = "ouaf: ";  // main begins an error so
        const std::size_t begin = text.rfind(mark);
        if (begin == std::string::npos) return what_ended(status);
        return text.substr(begin + mark.size(), text.find('\n', begin) - begin - mark.size());
    }

    bool has_reached(const Job& job) const {
        const RunMeasures measures = read_measures(folder_of(job));
        if (measures.finished) return true;
        return !is_top(job) && !measures.epochs.empty() && measures.epochs.back().epoch >= epochs_of(job);
    }

    void start(Running& running) const {
        const fs::path run = folder_of(running.job);
        std::vector<std::string> arguments{"train"};
        if (fs::exists(run / "last.safetensors")) {
            arguments.insert(arguments.end(), {"--resume", run.string()});
        } else {
            fs::remove_all(run);  // killed before its first checkpoint
            arguments.insert(arguments.end(), {(folder_ / "recipe.toml").string(), "--out", run.string()});
            for (const std::string& override : overrides_of(running.job))
                arguments.insert(arguments.end(), {"--set", override});
        }
        if (!is_top(running.job))
            arguments.insert(arguments.end(), {"--until", std::to_string(epochs_of(running.job))});
        const fs::path log = log_of(running.job);
        running.log_start = fs::exists(log) ? fs::file_size(log) : 0;
        const int cores = static_cast<int>(std::thread::hardware_concurrency());
        running.process = start_ouaf(arguments, std::max(1, cores / tuning_.parallel), log);
    }

    void record(const Running& running, const std::string& failure, const TuningReport& report) {
        TrialRecord record{.job = running.job,
                           .overrides = overrides_of(running.job),
                           .failure = failure,
                           .seconds = std::chrono::duration<double>(Clock::now() - running.start).count()};
        if (failure.empty()) {
            const std::vector<EpochMeasure> epochs = read_measures(folder_of(running.job)).epochs;
            record.last = epochs.back();
            record.best = *std::min_element(epochs.begin(), epochs.end(), [&](const auto& a, const auto& b) {
                return monitored(a, tuning_.monitor) < monitored(b, tuning_.monitor);
            });
        }
        log_.add(record);
        report(record);
    }

    const Tuning& tuning_;
    fs::path folder_;
    TrialLog log_;
    std::vector<Running> running_;
};

}  // namespace

bool tune(const Tuning& tuning, const std::string& data, const fs::path& folder, const std::atomic<bool>& stop,
          const TuningReport& report) {
    open_folder(tuning, data, folder);
    Runner runner(tuning, folder);
    bool asked = false;
    for (;;) {
        if (stop && !asked) {
            asked = true;
            runner.ask_to_stop();
        }
        while (!asked && runner.running() < tuning.parallel && runner.start_next(report)) {
        }
        if (runner.running() == 0) return !asked;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        runner.take_ended(stop, report);
    }
}

}  // namespace ouaf
