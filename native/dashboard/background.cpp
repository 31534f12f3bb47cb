// See background.hpp.
#include "native/dashboard/background.hpp"

#include <utility>

namespace ouaf::dashboard {

Background::Background(std::function<void()> wake) : wake_(std::move(wake)), thread_([this] { work(); }) {}

Background::~Background() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

void Background::add(Job job, bool urgent) {
    const std::lock_guard lock(mutex_);
    if (urgent) jobs_.push_front(std::move(job));
    else jobs_.push_back(std::move(job));
    changed_.notify_one();
}

bool Background::collect() {
    std::vector<Arrival> arrivals;
    {
        const std::lock_guard lock(mutex_);
        arrivals.swap(arrivals_);
    }
    for (const Arrival& arrival : arrivals) arrival();
    return !arrivals.empty();
}

bool Background::idle() const {
    const std::lock_guard lock(mutex_);
    return jobs_.empty() && arrivals_.empty() && !busy_;
}

void Background::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
        if (ending_) return;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        busy_ = true;
        lock.unlock();
        Arrival arrival = job();
        lock.lock();
        busy_ = false;
        arrivals_.push_back(std::move(arrival));
        lock.unlock();
        wake_();
        lock.lock();
    }
}

}  // namespace ouaf::dashboard
