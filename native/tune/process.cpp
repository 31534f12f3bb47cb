// See process.hpp.
#include "native/tune/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace ouaf {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> words_of(const std::string& name, std::span<const std::string> arguments) {
    std::vector<std::string> words{name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

// `words`: the program's name, and its arguments.
pid_t start(const std::filesystem::path& program, std::vector<std::string> words, int threads,
            const std::filesystem::path& log) {
    // All that allocates comes before fork: between it and exec only calls that are safe in a signal's handler.
    std::vector<std::string> variables;
    for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
    if (!std::getenv("OMP_NUM_THREADS")) variables.push_back("OMP_NUM_THREADS=" + std::to_string(threads));
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(variables);
    const char* const file_run = program.c_str();
    const char* const output = log.c_str();
    const pid_t parent = ::getpid();

    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error(std::string("no process could be started: ") + std::strerror(errno));
    if (child > 0) return child;
    std::signal(SIGTERM, SIG_DFL);  // not the parent's handler, which would take note and go on
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int file = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0666);
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (::getppid() != parent || file < 0 || nothing < 0) ::_exit(127);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
    ::close(nothing);
    ::execve(file_run, argv.data(), envp.data());
    ::_exit(127);
}

}  // namespace

pid_t start_ouaf(std::span<const std::string> arguments, int threads, const std::filesystem::path& log) {
    return start("/proc/self/exe", words_of("ouaf", arguments), threads, log);
}

pid_t start_program(const std::filesystem::path& program, std::span<const std::string> arguments, int threads,
                    const std::filesystem::path& log) {
    return start(program, words_of(program, arguments), threads, log);
}

std::optional<int> ended(pid_t process) {
    int status = 0;
    const pid_t found = ::waitpid(process, &status, WNOHANG);
    if (found < 0 && errno != EINTR)
        throw std::runtime_error("process " + std::to_string(process) + ": " + std::strerror(errno));
    if (found <= 0) return std::nullopt;
    return status;
}

bool ended_as_asked(int status) {
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT;
    return WEXITSTATUS(status) == 0;
}

std::string what_ended(int status) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        return "was ended by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
    }
    const int code = WEXITSTATUS(status);
    return code == 0 ? "" : "ended with code " + std::to_string(code);
}

}  // namespace ouaf
