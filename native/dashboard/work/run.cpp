// Runs, started and gone on with.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

#include "native/dashboard/work/work.hpp"
#include "native/train/device.hpp"
#include "native/train/fit_trainer.hpp"
#include "native/train/processes.hpp"
#include "native/train/recipe.hpp"
#include "native/train/trainer.hpp"

namespace ouaf::dashboard {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string percent(const char* what, double share) {
    char text[64];
    std::snprintf(text, sizeof text, "%s %.2f %%", what, 100 * share);
    return text;
}

// The status of a run as it goes on, posted no more often than it can be read.
class RunStatus {
 public:
    RunStatus(const Recipe& recipe, const std::filesystem::path& folder, const Work& work)
        : recipe_(recipe), work_(work) {
        status_.state = State::loading;
        status_.folder = folder;
        status_.steerable = !recipe.stages.empty();
        for (const Stage& stage : recipe.stages) epochs_ += stage.fit.epochs;
        if (!recipe.stages.empty()) take_stage(0);
    }

    void say(State state, std::string_view stage, double share) {
        const bool same = status_.state == state && status_.stage == stage;
        status_.state = state;
        status_.stage = stage;
        status_.share = share;
        if (same && seconds_since(posted_) < 0.1) return;
        posted_ = Clock::now();
        work_.post(status_);
    }

    // share: of the run.
    void step(double share) {
        if (!first_) first_ = {Clock::now(), share};
        const double done = share - first_->second;
        status_.epochs_done = share * epochs_;
        status_.seconds_left =
            done > 0 ? std::optional(seconds_since(first_->first) / done * (1 - share)) : std::nullopt;
        take_stage(status_.epochs_done);
        say(State::training, "training", share);
    }

    void end(State state, std::string stage, std::string error = "") {
        status_.state = state;
        status_.stage = std::move(stage);
        status_.error = std::move(error);
        status_.seconds_left.reset();
        work_.post(status_);
    }

 private:
    void take_stage(double epochs_done) {
        int before = 0;
        for (const Stage& stage : recipe_.stages) {
            status_.stage_epochs = stage.fit.epochs;
            status_.learning_rate = stage.fit.learning_rate;
            before += stage.fit.epochs;
            if (epochs_done < before) return;
        }
    }

    const Recipe& recipe_;
    const Work& work_;
    Status status_;
    double epochs_ = 0;
    std::optional<std::pair<Clock::time_point, double>> first_;
    Clock::time_point posted_;
};

FitRunReport report_to(RunStatus& status) {
    return {{[&](const std::string& what) { status.say(State::loading, what, 0); },
             [&](std::string_view stage, double share) { status.say(State::loading, stage, share); }},
            [&](double share) { status.step(share); },
            [](const EpochReport&) {}};
}

void end_fit(const FitOutcome& outcome, RunStatus& status) {
    if (outcome.fit.finished) status.end(State::idle, percent("finished: test top-1", outcome.test.top1));
    else status.end(State::stopped, "stopped and saved");
}

void fit_head(const Recipe& recipe, const std::filesystem::path& folder, RunStatus& status, const Work& work) {
    try {
        const TrainingResult result = train(recipe, folder, {[&](std::string_view stage, double share) {
                                                if (work.stop) throw Stopped();
                                                status.say(State::training, stage, share);
                                            }});
        status.end(State::idle, percent("finished: test top-1", result.int8.accuracy.top1));
    } catch (const Stopped&) {
        status.end(State::stopped, "given up: a head is fitted at once");
    }
}

}  // namespace

void start_run(const StartRequest& request, RunControl& control, const Work& work) {
    Recipe recipe;
    try {
        recipe = read_recipe(request.recipe, request.overrides);
    } catch (const std::exception& error) {
        work.post(Status{.state = State::failed, .folder = request.folder, .error = error.what()});
        return;
    }
    RunStatus status(recipe, request.folder, work);
    try {
        if (recipe.stages.empty()) return fit_head(recipe, request.folder, status, work);
        Processes alone;
        const FitHost host{alone, open_device(DeviceChoice::automatic, 0), &control};
        end_fit(start_fit(recipe, request.folder, work.stop, report_to(status), whole_run, host), status);
    } catch (const std::exception& error) {
        status.end(work.stop ? State::stopped : State::failed, "", error.what());
    }
}

void resume_run(const std::filesystem::path& folder, RunControl& control, const Work& work) {
    Recipe recipe;
    try {
        recipe = read_recipe(folder / "recipe.toml");
    } catch (const std::exception& error) {
        work.post(Status{.state = State::failed, .folder = folder, .error = error.what()});
        return;
    }
    RunStatus status(recipe, folder, work);
    try {
        Processes alone;
        const FitHost host{alone, open_device(DeviceChoice::automatic, 0), &control};
        end_fit(resume_fit(folder, work.stop, report_to(status), whole_run, host), status);
    } catch (const std::exception& error) {
        status.end(work.stop ? State::stopped : State::failed, "", error.what());
    }
}

}  // namespace ouaf::dashboard
