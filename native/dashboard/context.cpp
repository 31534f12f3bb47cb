// See context.hpp.
#include "native/dashboard/context.hpp"

#include <imgui.h>
#include <imgui_internal.h>
#include <implot.h>

#include <cstdlib>
#include <string_view>

namespace ouaf::dashboard {

Context::Context(const std::filesystem::path& settings) : settings_(settings.string()) {
    ImGui::CreateContext();
    ImPlot::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = settings_.empty() ? nullptr : settings_.c_str();
    io.ConfigFlags |= ImGuiConfigFlags_DockingEnable | ImGuiConfigFlags_NavEnableKeyboard;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    add_font();
    if (settings_.empty()) return;
    keep_theme();
    ImGui::LoadIniSettingsFromDisk(settings_.c_str());
}

// A section of ImGui's own file.
void Context::keep_theme() {
    ImGuiSettingsHandler handler;
    handler.TypeName = "ouaf";
    handler.TypeHash = ImHashStr(handler.TypeName);
    handler.UserData = this;
    handler.ReadOpenFn = [](ImGuiContext*, ImGuiSettingsHandler* own, const char*) { return own->UserData; };
    handler.ReadLineFn = [](ImGuiContext*, ImGuiSettingsHandler*, void* context, const char* line) {
        if (std::string_view(line) == "theme=light") static_cast<Context*>(context)->kept_theme_ = Theme::light;
    };
    handler.WriteAllFn = [](ImGuiContext*, ImGuiSettingsHandler* own, ImGuiTextBuffer* text) {
        text->appendf("[%s][window]\ntheme=%s\n\n", own->TypeName, applied_theme() == Theme::light ? "light" : "dark");
    };
    ImGui::AddSettingsHandler(&handler);
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
