// Work beside the drawing: a thread that does one job after the other, such as reading files.
//
//     Background background(wake);
//     background.add([path] {
//         auto text = read(path);                       // by that thread
//         return [text] { … };                          // by the drawing thread, in collect()
//     });
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ouaf::dashboard {

class Background {
 public:
    using Arrival = std::function<void()>;
    using Job = std::function<Arrival()>;  // throws nothing

    // wake: called by the thread when something arrived.
    explicit Background(std::function<void()> wake);

    // Leaves out what has not begun, and waits for the rest.
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // The newest job first, where they are many photos that may be out of sight by now: `urgent`.
    void add(Job job, bool urgent = false);

    // Calls what arrived; says whether something did.
    bool collect();

    // Whether nothing is left to do or to collect.
    bool idle() const;

 private:
    void work();

    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    std::vector<Arrival> arrivals_;
    bool busy_ = false;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace ouaf::dashboard
