// See bundle_export.hpp.
#include "native/dashboard/bundle_export.hpp"

#include <chrono>
#include <csignal>
#include <regex>
#include <stdexcept>
#include <thread>

#include "native/files/files.hpp"
#include "native/tune/process.hpp"

namespace ouaf::dashboard {
namespace {

// The program ouaf: this one, or the one that was built beside a test.
std::filesystem::path program() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ouaf"; }

// In the tree that the program was built in, wherever the dashboard was started.
std::filesystem::path server() { return program().parent_path().parent_path().parent_path() / "scripts" / "serve.py"; }

ExportStep run(const std::string& what, const std::vector<std::string>& arguments, const std::filesystem::path& log,
               const std::atomic<bool>& stop) {
    std::filesystem::remove(log);
    const pid_t process = start_program(program(), arguments, 1, log);
    std::optional<int> status = ended(process);
    for (; !status; status = ended(process)) {
        if (stop) ::kill(process, SIGTERM);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::string said = std::filesystem::exists(log) ? read_text(log) : "";
    std::filesystem::remove(log);
    while (!said.empty() && said.back() == '\n') said.pop_back();
    if (*status != 0 && said.empty()) said = what_ended(*status);
    return {what, said, *status != 0};
}

}  // namespace

std::vector<ExportStep> export_bundle(const std::filesystem::path& model, const std::filesystem::path& folder,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(const std::vector<ExportStep>&)>& report) {
    std::filesystem::create_directories(folder);
    const std::filesystem::path log = folder / "export.log";
    const std::string float32 = folder / "float32.onnx";
    const std::string int8 = folder / "int8.onnx";
    const std::string page = folder / "page";
    std::vector<ExportStep> steps;
    const auto add = [&](const std::string& what, const std::vector<std::string>& arguments) {
        if (stop || (!steps.empty() && steps.back().failed)) return;
        steps.push_back(run(what, arguments, log, stop));
        report(steps);
    };
    add("float32", {"export", model, "--out", float32});
    add("int8", {"export", model, "--out", int8, "--weights", "int8"});
    add("page", {"publish", "--model", model, "--out", page});
    return steps;
}

std::string serve_and_open(const std::filesystem::path& page) {
    const std::filesystem::path log = page.parent_path() / "serve.log";
    std::filesystem::remove(log);
    start_program("/usr/bin/python3", std::vector<std::string>{server(), page}, 1, log);
    std::smatch address;
    for (int tries = 0; tries < 100; ++tries) {
        const std::string said = std::filesystem::exists(log) ? read_text(log) : "";
        if (std::regex_search(said, address, std::regex("http://[^ \n]+"))) {
            start_program("/usr/bin/xdg-open", std::vector<std::string>{address.str()}, 1, log);
            return address.str();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error(page.string() + ": " + server().string() + " does not serve it; " + log.string() +
                             " says why, where it can");
}

}  // namespace ouaf::dashboard
