// A dashboard on a window of its own, clicked through by Dear ImGui's test engine.
//
//     Stage stage(folder);
//     stage.play([](ImGuiTestContext& hand, App& app) { hand.ItemClick("//Run control/Start"); … });
#pragma once

#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>

#include <filesystem>
#include <functional>

#include "native/dashboard/app.hpp"
#include "native/dashboard/context.hpp"

namespace ouaf::dashboard {

class Stage {
 public:
    // runs: the folder that the dashboard looks for runs in.
    explicit Stage(const std::filesystem::path& runs);
    ~Stage();

    // Plays a scene to its end; REQUIREs that every click found what it was to click on.
    void play(const std::function<void(ImGuiTestContext& hand, App& app)>& scene);

    App& app() { return *app_; }

 private:
    Context context_;
    std::unique_ptr<Surface> surface_;
    std::unique_ptr<App> app_;
    struct ImGuiTestEngine* engine_;
};

// Lets frames go by until it holds, for at most so many seconds; says whether it does.
bool wait_until(ImGuiTestContext& hand, double seconds, const std::function<bool()>& holds);

}  // namespace ouaf::dashboard
