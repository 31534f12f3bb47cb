// One line that says how far a long job is, with percent and time left, on standard error.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace ouaf::commands {

// On a terminal the line is rewritten ten times a second at most; elsewhere a new line comes every 10 %.
class ProgressLine {
 public:
    ProgressLine();
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    // `share` of the job is done, 0 to 1.
    void show(std::string_view stage, double share);

 private:
    using Clock = std::chrono::steady_clock;
    bool terminal_;
    Clock::time_point start_;
    Clock::time_point shown_{};
    std::string stage_;
    int tenth_ = -1;
};

// 12345 as "12,345".
std::string grouped(std::size_t number);

}  // namespace ouaf::commands
