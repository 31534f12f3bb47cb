// See stop_signals.hpp.
#include "native/commands/stop_signals.hpp"

#include <csignal>

namespace ouaf::commands {
namespace {

std::atomic<bool> stopped = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal's handler sets it");

}  // namespace

const std::atomic<bool>& stop_on_signals() {
    for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, [](int number) {
            stopped = true;
            std::signal(number, SIG_DFL);
        });
    return stopped;
}

}  // namespace ouaf::commands
