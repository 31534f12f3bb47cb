// See welcome.hpp.
#include "native/dashboard/panels/welcome.hpp"

#include "native/dashboard/recipe_check.hpp"

namespace ouaf::dashboard {

void draw_welcome(App& app) {
    const float left = empty_state(
        "Welcome to ouaf",
        "Here you start a training run, watch it, look at its mistakes and export what it learned. A run is a folder: "
        "one that another program trains in can be watched too, and a finished one opened again.");
    ImGui::Spacing();
    ImGui::SetCursorPosX(left);
    if (ImGui::Button("Choose the demo recipe")) app.wanted_recipe = std::filesystem::path("recipes") / demo_recipe;
    ImGui::SetItemTooltip(
        "A head for 120 dog breeds on a trained backbone: minutes on two cores.\nLook at what it says in "
        "Run control, and start it there.");
    if (!app.found_runs.empty()) {
        ImGui::SameLine();
        if (ImGui::Button("Open the latest run")) app.open_run(app.found_runs.front());
    }
    ImGui::SetCursorPosX(left);
    faint_text("F1 lists the keys.");
}

}  // namespace ouaf::dashboard
