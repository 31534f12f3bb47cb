// What someone who watches a run asks of it from another thread, such as the dashboard's. The trainer looks between two
// steps, so that whatever is asked is done by the thread that owns the network.
//
//     RunControl control;
//     std::thread trainer([&] { start_fit(recipe, folder, stop, report, whole_run, {processes, device, &control}); });
//     control.pause();
//     control.set_learning_rate(1e-4);   // recorded in the run, and part of its checkpoints
//     control.go_on();
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "native/bundle/model.hpp"

namespace ouaf {

class RunControl {
 public:
    // Done with the weights as they are at that moment: their average, where the run keeps one. What it throws ends the
    // run, so a task catches what may go wrong with itself.
    using Task = std::function<void(const Model&)>;

    // By any thread. A run that is asked to stop leaves its pause.
    void pause();
    void go_on();
    void save();
    void set_learning_rate(double rate);  // the recipe's, which the schedule shapes; of the stage that is going on
    void set_epochs(int epochs);          // of that stage; at least those that have begun
    void with_weights(Task task);

    // Whether the trainer waits by now.
    bool is_waiting() const;

    // By the trainer alone.
    struct Requests {
        bool save = false;
        std::optional<double> learning_rate;
        std::optional<int> epochs;
        std::vector<Task> tasks;
    };
    // What was asked since. In a pause it waits until there is something, or the pause or the run ends; nothing is left
    // to do once `paused` is false.
    struct Turn {
        Requests requests;
        bool paused = false;
    };
    Turn next(const std::atomic<bool>& stop);

 private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Requests requests_;
    bool paused_ = false;
    bool waiting_ = false;
};

}  // namespace ouaf
