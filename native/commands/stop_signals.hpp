// Ctrl-C, for commands that save what they have.
#pragma once

#include <atomic>

namespace ouaf::commands {

// From now on the first SIGINT or SIGTERM sets what is returned, and a second one ends the program.
const std::atomic<bool>& stop_on_signals();

}  // namespace ouaf::commands
