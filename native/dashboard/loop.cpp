// See loop.hpp.
#include "native/dashboard/loop.hpp"

#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "native/dashboard/frame.hpp"

namespace ouaf::dashboard {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// After input, as widgets move on by themselves.
constexpr auto lively = 500ms;

// Without input. While a run trains, a frame may take a hundredth of the time: without a graphics card it takes every
// core for tens of milliseconds, and new points of the curves can wait.
Clock::duration pause_between_frames(const App& app, Clock::duration cost) {
    if (!app.session.status().is_running()) return 100ms;
    return std::clamp<Clock::duration>(100 * cost, 500ms, 10s);
}

// Where a graphics card draws, what this thread takes of the processor; else all the time that a frame lasts, since
// the threads that draw take it from those that train.
Clock::duration time_taken(const Surface& surface) {
    if (surface.draws_on_processor()) return Clock::now().time_since_epoch();
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

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
    Clock::duration cost{};
    while (!ended()) {
        // What other threads deliver ends the wait too, and is drawn when the pause is over.
        constexpr Clock::duration longest = 500ms;
        const bool moves = Clock::now() - input < lively;
        const bool awaits = app.waits() || app.session.status().is_busy();
        const Clock::duration rest = drawn + pause_between_frames(app, cost) - Clock::now();
        const Clock::duration wait = moves ? 0ms : !awaits ? longest : std::clamp<Clock::duration>(rest, 1ms, longest);
        if (surface.wait(std::chrono::duration<double>(wait).count())) input = Clock::now();
        if (Clock::now() - input >= lively && Clock::now() < drawn + pause_between_frames(app, cost)) continue;
        if (scale != surface.scale() || theme != app.theme) {
            scale = surface.scale();
            theme = app.theme;
            apply_style(theme, scale);
        }
        const Clock::duration before = time_taken(surface);
        app.update();
        app.dropped = surface.take_dropped_files();
        if (surface.take_close_request()) app.asks_to_close = true;
        drawn = Clock::now();
        draw_once(surface, [&] { draw_frame(app); });
        cost = time_taken(surface) - before;
    }
}

}  // namespace ouaf::dashboard
