// See dashboard.hpp.
#include "native/dashboard/dashboard.hpp"

#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "native/dashboard/app.hpp"
#include "native/dashboard/context.hpp"
#include "native/dashboard/frame.hpp"
#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {
namespace {

using Clock = std::chrono::steady_clock;

void draw(Surface& surface, const std::function<void()>& content) {
    surface.begin_frame();
    ImGui::NewFrame();
    content();
    ImGui::Render();
    surface.end_frame();
}

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
        draw(surface, content);
        const bool waits = app.waits();
        calm = waits ? 0 : calm + 1;
        if (waits) surface.wait(0.02);
    }
}

}  // namespace

void show(const Options& options) {
    const Context context(settings_file());
    const std::unique_ptr<Surface> surface = open_window("ouaf", 1440, 900);
    App app(*surface, options.runs_folder);
    app.theme = options.light ? Theme::light : Theme::dark;
    for (const std::filesystem::path& run : options.runs) app.open_run(run);
    float scale = 0;
    Theme theme = app.theme;
    // Without anything new a frame is drawn twice a second, for the clock; after input for half a second at the
    // screen's rate, as widgets move on by themselves.
    Clock::time_point lively = Clock::now();
    while (!app.closing) {
        constexpr double idle = 0.5;
        const bool moves = Clock::now() - lively < std::chrono::milliseconds(500);
        if (surface->wait(moves ? 0 : idle)) lively = Clock::now();
        if (scale != surface->scale() || theme != app.theme) {
            scale = surface->scale();
            theme = app.theme;
            apply_style(theme, scale);
        }
        app.update();
        app.dropped = surface->take_dropped_files();
        if (surface->take_close_request()) app.closing = true;
        draw(*surface, [&] { draw_frame(app); });
    }
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
    for (const auto& panel : app.panels) {
        settle(app, *surface, [&] { draw_alone(app, *panel); });
        write_png(pictures.folder / file_name(panel->title()), surface->read_pixels());
    }
}

}  // namespace ouaf::dashboard
