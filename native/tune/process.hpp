// Programs started beside this one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace ouaf {

// This very program with other arguments, in a process group of its own, so that Ctrl-C reaches it by way of its parent
// alone. What it prints is added to the file `log`. OMP_NUM_THREADS is `threads` there, unless it is set already. It is
// asked to end (SIGTERM) where this process ends first. Throws std::runtime_error where it can't be started.
pid_t start_ouaf(std::span<const std::string> arguments, int threads, const std::filesystem::path& log);

// Another program in the same way.
pid_t start_program(const std::filesystem::path& program, std::span<const std::string> arguments, int threads,
                    const std::filesystem::path& log);

// How the process ended, as waitpid has it; nothing while it runs.
std::optional<int> ended(pid_t process);

// Whether somebody asked it to end: by a signal, or it ended by itself with code 0.
bool ended_as_asked(int status);

// "" for an end with code 0; else such as "was ended by signal 9 (Killed)".
std::string what_ended(int status);

}  // namespace ouaf
