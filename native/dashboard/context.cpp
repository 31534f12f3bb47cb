// See context.hpp.
#include "native/dashboard/context.hpp"

#include <imgui.h>
#include <implot.h>

#include <cstdlib>

#include "native/dashboard/style.hpp"

namespace ouaf::dashboard {

Context::Context(const std::filesystem::path& settings) : settings_(settings.string()) {
    ImGui::CreateContext();
    ImPlot::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = settings_.empty() ? nullptr : settings_.c_str();
    io.ConfigFlags |= ImGuiConfigFlags_DockingEnable | ImGuiConfigFlags_NavEnableKeyboard;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    add_font();
}

Context::~Context() {
    ImPlot::DestroyContext();
    ImGui::DestroyContext();
}

std::filesystem::path settings_file() {
    const auto from = [](const char* name) { return std::getenv(name) ? std::getenv(name) : ""; };
    std::filesystem::path folder = from("XDG_CONFIG_HOME");
    if (folder.empty()) folder = std::filesystem::path(from("HOME")) / ".config";
    folder /= "ouaf";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return error ? std::filesystem::path() : folder / "dashboard.ini";
}

}  // namespace ouaf::dashboard
