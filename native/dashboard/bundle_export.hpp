// A bundle written for others, by the program's own commands in processes of their own: `ouaf export` for the ONNX
// files, which checks them with ONNX Runtime, and `ouaf publish` for the page.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ouaf::dashboard {

struct ExportStep {
    std::string what;  // "float32", "int8", "page"
    std::string said;  // by the command: sizes, and the largest difference to ONNX Runtime's answers
    bool failed = false;
};

// Of a bundle or a finished run. Says after each step what is done so far; ends between two steps once `stop` is set.
std::vector<ExportStep> export_bundle(const std::filesystem::path& model, const std::filesystem::path& folder,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(const std::vector<ExportStep>&)>& report);

// Shows a published page in the browser: serves the folder on a local port until the dashboard ends. Throws
// std::runtime_error where that can't be done.
std::string serve_and_open(const std::filesystem::path& page);

}  // namespace ouaf::dashboard
