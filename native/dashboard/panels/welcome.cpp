// See welcome.hpp.
#include "native/dashboard/panels/welcome.hpp"

namespace ouaf::dashboard {

void draw_welcome(App& app) {
    empty_state("Welcome to ouaf",
                "Here you start a training run, watch it, look at its mistakes and export what it learned. A run is a "
                "folder: one that another program trains in can be watched too, and a finished one opened again.");
    const float left = ImGui::GetCursorPosX();
    if (!app.found_runs.empty() && ImGui::Button("Open the latest run")) app.open_run(app.found_runs.front());
    if (!app.found_runs.empty()) ImGui::SetCursorPosX(left);
    faint_text("F1 lists the keys.");
}

}  // namespace ouaf::dashboard
