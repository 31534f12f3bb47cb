// See stage.hpp.
#include "tests/dashboard/stage.hpp"

#include <imgui_te_engine.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "native/dashboard/frame.hpp"

namespace ouaf::dashboard {

Stage::Stage(const std::filesystem::path& runs)
    : context_({}),
      surface_(open_window("ouaf, tested", 1280, 860)),
      app_(std::make_unique<App>(*surface_, runs)),
      engine_(ImGuiTestEngine_CreateContext()) {
    apply_style(Theme::dark, 1);
    ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine_);
    io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
    io.ConfigVerboseLevel = ImGuiTestVerboseLevel_Warning;
    io.ConfigVerboseLevelOnError = ImGuiTestVerboseLevel_Info;
    io.ConfigLogToTTY = true;
    io.ConfigWatchdogKillTest = 600;
    io.ConfigNoThrottle = true;
    ImGuiTestEngine_Start(engine_, ImGui::GetCurrentContext());
}

Stage::~Stage() {
    app_.reset();
    ImGuiTestEngine_Stop(engine_);
    surface_.reset();
    // The engine wants to outlive ImGui's context, which Context destroys.
    ImGuiTestEngine_DestroyContext(engine_);
}

void Stage::play(const std::function<void(ImGuiTestContext& hand, App& app)>& scene) {
    ImGuiTest* test = ImGuiTestEngine_RegisterTest(engine_, "dashboard", "scene");
    test->TestFunc = [this, &scene](ImGuiTestContext* hand) { scene(*hand, *app_); };
    ImGuiTestEngine_QueueTest(engine_, test);
    while (!ImGuiTestEngine_IsTestQueueEmpty(engine_)) {
        surface_->wait(0);
        app_->update();
        surface_->begin_frame();
        ImGui::NewFrame();
        draw_frame(*app_);
        ImGui::Render();
        surface_->end_frame();
        ImGuiTestEngine_PostSwap(engine_);
    }
    REQUIRE(test->Output.Status == ImGuiTestStatus_Success);
    ImGuiTestEngine_UnregisterTest(engine_, test);
}

bool wait_until(ImGuiTestContext& hand, double seconds, const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        hand.Yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

}  // namespace ouaf::dashboard
