// See loop.hpp.
#include "native/dashboard/loop.hpp"

#include <imgui.h>

#include <algorithm>
#include <chrono>

#include "native/dashboard/frame.hpp"

namespace ouaf::dashboard {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// After input, as widgets move on by themselves.
constexpr auto lively = 500ms;

// Without input. A frame of a machine without a graphics card takes tens of milliseconds from the training beside it;
// new points of its curves can wait for half a second.
Clock::duration pause_between_frames(const App& app) { return app.session.status().is_running() ? 500ms : 100ms; }

}  // namespace

void draw_once(Surface& surface, const std::function<void()>& content) {
    surface.begin_frame();
    ImGui::NewFrame();
    content();
    ImGui::Render();
    surface.end_frame();
}

void draw_until(App& app, const std::function<bool()>& ended) {
    Surface& surface = app.surface;
    float scale = 0;
    Theme theme = app.theme;
    Clock::time_point input = Clock::now();
    Clock::time_point drawn;
    while (!ended()) {
        // What other threads deliver ends the wait too, and is drawn when the pause is over.
        constexpr Clock::duration longest = 500ms;
        const bool moves = Clock::now() - input < lively;
        const bool awaits = app.waits() || app.session.status().is_busy();
        const Clock::duration rest = drawn + pause_between_frames(app) - Clock::now();
        const Clock::duration wait = moves ? 0ms : !awaits ? longest : std::clamp<Clock::duration>(rest, 1ms, longest);
        if (surface.wait(std::chrono::duration<double>(wait).count())) input = Clock::now();
        if (Clock::now() - input >= lively && Clock::now() < drawn + pause_between_frames(app)) continue;
        if (scale != surface.scale() || theme != app.theme) {
            scale = surface.scale();
            theme = app.theme;
            apply_style(theme, scale);
        }
        app.update();
        app.dropped = surface.take_dropped_files();
        if (surface.take_close_request()) app.asks_to_close = true;
        drawn = Clock::now();
        draw_once(surface, [&] { draw_frame(app); });
    }
}

}  // namespace ouaf::dashboard
