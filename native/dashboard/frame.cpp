// See frame.hpp.
#include "native/dashboard/frame.hpp"

#include <imgui.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ouaf::dashboard {
namespace {

void arrange(const App& app, ImGuiID space) {
    ImGui::DockBuilderRemoveNode(space);
    ImGui::DockBuilderAddNode(space, ImGuiDockNodeFlags_DockSpace);
    ImGui::DockBuilderSetNodeSize(space, ImGui::GetMainViewport()->WorkSize);
    ImGuiID main = space;
    ImGuiID left = ImGui::DockBuilderSplitNode(main, ImGuiDir_Left, 0.24F, nullptr, &main);
    const ImGuiID below_left = ImGui::DockBuilderSplitNode(left, ImGuiDir_Down, 0.6F, nullptr, &left);
    const ImGuiID below = ImGui::DockBuilderSplitNode(main, ImGuiDir_Down, 0.3F, nullptr, &main);
    for (const auto& panel : app.panels) {
        const std::array<ImGuiID, 4> nodes{left, below_left, main, below};
        ImGui::DockBuilderDockWindow(panel->title(), nodes.at(static_cast<std::size_t>(panel->place())));
    }
    ImGui::DockBuilderFinish(space);
}

// Of each place the first panel is in front; ImGui would show the last.
void show_first_panels(const App& app) {
    for (const Place place : {Place::left, Place::below_left, Place::below, Place::main}) {
        const auto first = std::find_if(app.panels.begin(), app.panels.end(),
                                        [&](const auto& panel) { return panel->place() == place; });
        ImGui::SetWindowFocus((*first)->title());
    }
}

void draw_menus(App& app) {
    if (!ImGui::BeginMainMenuBar()) return;
    if (ImGui::BeginMenu("Runs")) {
        if (app.found_runs.empty()) faint_text(("No runs in " + app.runs_folder.string()).c_str());
        for (const std::filesystem::path& folder : app.found_runs)
            if (ImGui::MenuItem(folder.c_str())) app.open_run(folder);
        ImGui::Separator();
        if (ImGui::MenuItem("Quit", "Ctrl+Q")) app.asks_to_close = true;
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("View")) {
        for (const auto& panel : app.panels) ImGui::MenuItem(panel->title(), nullptr, &panel->open);
        ImGui::Separator();
        if (ImGui::MenuItem("Light", "Ctrl+L", app.theme == Theme::light))
            app.theme = app.theme == Theme::light ? Theme::dark : Theme::light;
        if (ImGui::MenuItem("Arrange as at first")) app.resets_layout = true;
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("Help")) {
        if (ImGui::MenuItem("Keys", "F1")) app.shows_keys = true;
        ImGui::EndMenu();
    }
    ImGui::EndMainMenuBar();
}

constexpr std::array<std::pair<const char*, const char*>, 8> keys{{
    {"F1", "this list"},
    {"Ctrl+P", "pause the run, or go on"},
    {"Ctrl+S", "save the run now"},
    {"Ctrl+R", "in Data: draw the changes of a photo anew"},
    {"Ctrl+L", "light or dark"},
    {"Ctrl+Q", "quit"},
    {"Ctrl+Tab", "go through the panels"},
    {"double click", "in a plot: show all of it"},
}};

void take_keys(App& app) {
    if (ImGui::Shortcut(ImGuiKey_F1, ImGuiInputFlags_RouteGlobal)) app.shows_keys = !app.shows_keys;
    if (ImGui::Shortcut(ImGuiMod_Ctrl | ImGuiKey_Q, ImGuiInputFlags_RouteGlobal)) app.asks_to_close = true;
    if (ImGui::Shortcut(ImGuiMod_Ctrl | ImGuiKey_P, ImGuiInputFlags_RouteGlobal)) {
        if (app.session.status().can_go_on()) app.session.go_on();
        else app.session.pause();
    }
    if (ImGui::Shortcut(ImGuiMod_Ctrl | ImGuiKey_S, ImGuiInputFlags_RouteGlobal)) app.session.save();
    if (ImGui::Shortcut(ImGuiMod_Ctrl | ImGuiKey_L, ImGuiInputFlags_RouteGlobal))
        app.theme = app.theme == Theme::light ? Theme::dark : Theme::light;
}

void draw_keys(App& app) {
    if (!app.shows_keys) return;
    ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
    constexpr ImGuiWindowFlags flags =
        ImGuiWindowFlags_AlwaysAutoResize | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings;
    if (ImGui::Begin("Keys", &app.shows_keys, flags)) {
        for (const auto& [key, meaning] : keys) {
            ImGui::TextUnformatted(key);
            ImGui::SameLine(em(8));
            faint_text(meaning);
        }
    }
    ImGui::End();
}

// A window that closes never ends a run silently.
void draw_close_question(App& app) {
    constexpr const char* title = "A run goes on";
    if (app.closing || !app.asks_to_close) return;
    if (!app.session.status().is_busy()) {
        app.closing = true;
        return;
    }
    if (!ImGui::IsPopupOpen(title)) ImGui::OpenPopup(title);
    ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
    if (!ImGui::BeginPopupModal(title, nullptr, ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_AlwaysAutoResize))
        return;
    ImGui::Text("%s is not done yet.", app.session.status().folder.filename().c_str());
    ImGui::Spacing();
    if (ImGui::Button("Stop and save")) {
        app.session.stop();
        app.closing = true;
    }
    ImGui::SameLine();
    if (ImGui::Button("Go on without a window")) app.closing = app.goes_on = true;
    ImGui::SetItemTooltip("The program stays until the run is done, and says how far it is where it was started.");
    ImGui::SameLine();
    if (ImGui::Button("Stay") || ImGui::IsKeyPressed(ImGuiKey_Escape)) app.asks_to_close = false;
    if (app.closing || !app.asks_to_close) ImGui::CloseCurrentPopup();
    ImGui::EndPopup();
}

void draw_message(App& app) {
    if (app.message.empty()) return;
    constexpr const char* title = "Something went wrong";
    if (!ImGui::IsPopupOpen(title)) ImGui::OpenPopup(title);
    ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
    ImGui::SetNextWindowSize({em(32), 0});
    if (!ImGui::BeginPopupModal(title, nullptr, ImGuiWindowFlags_NoSavedSettings)) return;
    ImGui::TextWrapped("%s", app.message.c_str());
    ImGui::Spacing();
    if (ImGui::Button("Close", {em(6), 0}) || ImGui::IsKeyPressed(ImGuiKey_Escape)) {
        app.message.clear();
        ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
}

}  // namespace

void draw_frame(App& app) {
    take_keys(app);
    draw_menus(app);
    const ImGuiID space = ImGui::GetID("panels");
    const bool arranges = app.resets_layout || !ImGui::DockBuilderGetNode(space);
    if (arranges) arrange(app, space);
    app.resets_layout = false;
    ImGui::DockSpaceOverViewport(space, nullptr, ImGuiDockNodeFlags_NoWindowMenuButton);
    for (const auto& panel : app.panels) {
        if (!panel->open) continue;
        if (ImGui::Begin(panel->title(), &panel->open)) panel->draw(app);
        ImGui::End();
    }
    if (arranges) show_first_panels(app);
    draw_keys(app);
    draw_message(app);
    draw_close_question(app);
    app.dropped.clear();
}

void draw_alone(App& app, Panel& panel) {
    const ImGuiViewport& viewport = *ImGui::GetMainViewport();
    ImGui::SetNextWindowPos(viewport.WorkPos);
    ImGui::SetNextWindowSize(viewport.WorkSize);
    constexpr ImGuiWindowFlags flags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings |
                                       ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoMove;
    const std::string id = std::string("##alone ") + panel.title();
    if (ImGui::Begin(id.c_str(), nullptr, flags)) panel.draw(app);
    ImGui::End();
}

}  // namespace ouaf::dashboard
