// Draws the progress line.
#include "native/commands/progress_line.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace ouaf::commands {

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1), start_(Clock::now()) {}

ProgressLine::~ProgressLine() {
    if (terminal_ && !stage_.empty()) std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(std::string_view stage, double share) {
    const auto now = Clock::now();
    const int tenth = static_cast<int>(share * 10);
    const bool due = terminal_ ? now - shown_ > std::chrono::milliseconds(100) : tenth != tenth_;
    if (!due && stage == stage_) return;
    shown_ = now;
    tenth_ = tenth;
    stage_ = stage;

    const double elapsed = std::chrono::duration<double>(now - start_).count();
    std::string left;
    if (share > 0.01) {
        const auto seconds = static_cast<int>(std::lround(elapsed / share * (1 - share)));
        char text[32];
        std::snprintf(text, sizeof text, ", %d:%02d left", seconds / 60, seconds % 60);
        left = text;
    }
    std::fprintf(stderr, terminal_ ? "\r\033[K%3d %%%s  %s" : "%3d %%%s  %s\n", static_cast<int>(share * 100),
                 left.c_str(), stage_.c_str());
    std::fflush(stderr);
}

std::string grouped(std::size_t number) {
    std::string text = std::to_string(number);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), ",");
    }
    return text;
}

}  // namespace ouaf::commands
