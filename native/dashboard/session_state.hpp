// What the trainer thread is about, and what may be asked of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ouaf::dashboard {

enum class State { idle, loading, training, paused, evaluating, stopped, failed };

struct Status {
    State state = State::idle;
    std::string stage{};             // what is done at the moment, or came out, in words
    double share = 0;                // of the whole, 0 to 1
    std::filesystem::path folder{};  // of the run at hand
    bool steerable = false;          // the run trains by gradients: it can be paused and changed
    bool stopping = false;           // asked to, and not done yet
    int stage_epochs = 0;            // as they are asked for by now, of the recipe's stage that goes on
    double learning_rate = 0;        // the same
    double epochs_done = 0;          // of the run
    std::optional<double> seconds_left{};
    std::string error{};  // of State::failed

    bool is_busy() const { return state != State::idle && state != State::stopped && state != State::failed; }
    bool is_running() const { return state == State::loading || state == State::training || state == State::paused; }
    bool can_start() const { return !is_busy(); }
    bool can_pause() const { return state == State::training && steerable && !stopping; }
    bool can_go_on() const { return state == State::paused && !stopping; }
    bool can_stop() const { return is_busy() && !stopping; }
    bool can_save() const { return (state == State::training || state == State::paused) && steerable && !stopping; }
    bool can_change() const { return can_save(); }
    bool can_evaluate() const { return !is_busy(); }
    bool can_answer() const { return !is_busy() || can_save(); }
};

}  // namespace ouaf::dashboard
