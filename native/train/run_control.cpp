// See run_control.hpp.
#include "native/train/run_control.hpp"

#include <chrono>
#include <utility>

namespace ouaf {

void RunControl::pause() {
    const std::scoped_lock lock(mutex_);
    paused_ = true;
}

void RunControl::go_on() {
    const std::scoped_lock lock(mutex_);
    paused_ = false;
    changed_.notify_all();
}

void RunControl::save() {
    const std::scoped_lock lock(mutex_);
    requests_.save = true;
    changed_.notify_all();
}

void RunControl::set_learning_rate(double rate) {
    const std::scoped_lock lock(mutex_);
    requests_.learning_rate = rate;
    changed_.notify_all();
}

void RunControl::set_epochs(int epochs) {
    const std::scoped_lock lock(mutex_);
    requests_.epochs = epochs;
    changed_.notify_all();
}

void RunControl::with_weights(Task task) {
    const std::scoped_lock lock(mutex_);
    requests_.tasks.push_back(std::move(task));
    changed_.notify_all();
}

bool RunControl::is_waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_;
}

RunControl::Turn RunControl::next(const std::atomic<bool>& stop) {
    constexpr std::chrono::milliseconds look_at_stop{50};  // a signal's handler can't notify
    std::unique_lock lock(mutex_);
    const auto asked = [&] {
        return requests_.save || requests_.learning_rate || requests_.epochs || !requests_.tasks.empty();
    };
    waiting_ = paused_;
    while (paused_ && !stop && !asked()) changed_.wait_for(lock, look_at_stop);
    waiting_ = false;
    return {std::exchange(requests_, {}), paused_ && !stop};
}

}  // namespace ouaf
