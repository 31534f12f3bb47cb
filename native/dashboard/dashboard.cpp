// See dashboard.hpp.
#include "native/dashboard/dashboard.hpp"

#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "native/dashboard/app.hpp"
#include "native/dashboard/context.hpp"
#include "native/dashboard/frame.hpp"
#include "native/dashboard/loop.hpp"
#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {
namespace {

using Clock = std::chrono::steady_clock;

// What a panel's picture is called: "Try a photo" is try_a_photo.png.
std::string file_name(std::string title) {
    std::transform(title.begin(), title.end(), title.begin(),
                   [](unsigned char letter) { return std::isalnum(letter) ? std::tolower(letter) : '_'; });
    return title + ".png";
}

// Frames until nothing is on its way any more.
void settle(App& app, Surface& surface, const std::function<void()>& content) {
    constexpr int least = 4;  // ImGui measures in one frame what it lays out in the next
    const Clock::time_point patience = Clock::now() + std::chrono::seconds(120);
    for (int calm = 0; calm < least;) {
        if (Clock::now() > patience)
            throw std::runtime_error("the dashboard's panels were not ready for their pictures within two minutes");
        app.update();
        draw_once(surface, content);
        const bool waits = app.waits();
        calm = waits ? 0 : calm + 1;
        if (waits) surface.wait(0.02);
    }
}

// The run to its end, its progress on the terminal; Ctrl-C stops and saves it.
void go_on_headless(App& app, const std::atomic<bool>& stop) {
    app.surface.hide();
    std::string said;
    while (app.session.status().is_busy()) {
        app.session.collect();
        const Status& status = app.session.status();
        if (stop) app.session.stop();
        const std::string now = status.stage + ", " + std::to_string(static_cast<int>(100 * status.share)) + " %";
        if (now != said) std::fprintf(stderr, "%s: %s\n", status.folder.c_str(), now.c_str());
        said = now;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    const Status& status = app.session.status();
    std::fprintf(stderr, "%s: %s\n", status.folder.c_str(),
                 (status.error.empty() ? status.stage : status.error).c_str());
}

}  // namespace

void show(const Options& options, const std::atomic<bool>& stop) {
    const Context context(settings_file());
    const std::unique_ptr<Surface> surface = open_window("ouaf", 1440, 900);
    App app(*surface, options.runs_folder);
    app.theme = options.light ? Theme::light : context.kept_theme();
    for (const std::filesystem::path& run : options.runs) app.open_run(run);
    draw_until(app, [&] { return app.closing || stop; });
    if (app.goes_on) go_on_headless(app, stop);
}

void write_screenshots(const Options& options, const ScreenshotOptions& pictures) {
    std::filesystem::create_directories(pictures.folder);
    const Context context({});
    const std::unique_ptr<Surface> surface = open_offscreen(pictures.width, pictures.height, pictures.scale);
    App app(*surface, options.runs_folder);
    app.theme = options.light ? Theme::light : Theme::dark;
    for (const std::filesystem::path& run : options.runs) app.open_run(run);
    apply_style(app.theme, surface->scale());
    settle(app, *surface, [&] { draw_frame(app); });
    write_png(pictures.folder / "dashboard.png", surface->read_pixels());
    for (const OpenRun& run : app.runs) {
        if (!run.view->has_model || run.view->has_report) continue;
        app.session.evaluate(run.folder);
        settle(app, *surface, [&] { draw_frame(app); });
        if (app.session.status().state == State::failed) throw std::runtime_error(app.session.status().error);
    }
    for (const auto& panel : app.panels) {
        settle(app, *surface, [&] { draw_alone(app, *panel); });
        write_png(pictures.folder / file_name(panel->title()), surface->read_pixels());
    }
}

}  // namespace ouaf::dashboard
