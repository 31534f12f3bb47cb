// How much slower training is with the dashboard's window open: the same run with the window drawn as in use and
// without any frame, in turns, in one process. Prints each run's images a second (the median over its epochs) and the
// ratio.
//
//     xvfb-run -a build/release/dashboard_cost RECIPE.toml FOLDER [ROUNDS]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "native/dashboard/context.hpp"
#include "native/dashboard/frame.hpp"
#include "native/dashboard/loop.hpp"

using namespace ouaf::dashboard;

namespace {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

// The first epoch reads and warms up.
double speed_of(const std::filesystem::path& run) {
    RunReader reader(run);
    const std::shared_ptr<const RunView> view = reader.read();
    const std::vector<double>& speeds = view->curves.images_per_second.y;
    return speeds.size() < 2 ? 0 : median({speeds.begin() + 1, speeds.end()});
}

// Seconds of the processor.
double processor_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print_frame_cost(App& app) {
    app.update();
    while (app.waits()) {
        app.update();
        draw_once(app.surface, [&] { draw_frame(app); });
    }
    for (const std::filesystem::path& run : app.found_runs) app.open_run(run);
    constexpr int warm_up = 30;
    constexpr int frames = 200;
    double start = 0;
    std::chrono::duration<double> content{};
    std::chrono::steady_clock::time_point began;
    for (int i = 0; i < warm_up + frames; ++i) {
        if (i == warm_up) {
            start = processor_seconds();
            began = std::chrono::steady_clock::now();
            content = {};
        }
        app.update();
        draw_once(app.surface, [&] {
            const auto from = std::chrono::steady_clock::now();
            draw_frame(app);
            content += std::chrono::steady_clock::now() - from;
        });
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
    std::printf(
        "a frame: %.1f ms of the processor, %.1f ms until it is shown, %.1f ms of them the panels' own; %zu runs\n",
        1e3 * (processor_seconds() - start) / frames, 1e3 * passed.count() / frames, 1e3 * content.count() / frames,
        app.runs.size());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "dashboard_cost RECIPE.toml FOLDER [ROUNDS]\n");
        return 2;
    }
    const std::filesystem::path folder = argv[2];
    const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
    const Context context({});
    const std::unique_ptr<Surface> surface = open_window("ouaf", 1440, 900);
    App app(*surface, folder);
    std::vector<double> with;
    std::vector<double> without;
    for (int i = 0; i < 2 * rounds; ++i) {
        const bool draws = i % 2 == 0;
        const std::filesystem::path run = folder / (std::to_string(i) + (draws ? "_with" : "_without"));
        app.session.start({argv[1], {}, run});
        const auto done = [&] { return !app.session.status().is_busy(); };
        if (draws) {
            app.open_run(run);
            draw_until(app, done);
        } else {
            while (!done()) {
                app.session.collect();
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
            }
        }
        if (app.session.status().state == State::failed) {
            std::fprintf(stderr, "%s\n", app.session.status().error.c_str());
            return 1;
        }
        (draws ? with : without).push_back(speed_of(run));
        std::printf("%s the window: %.1f images/s\n", draws ? "with   " : "without", (draws ? with : without).back());
        std::fflush(stdout);
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < with.size(); ++i) ratios.push_back(with[i] / without[i]);
    if (rounds > 0) std::printf("ratio %.4f, the median of the rounds'\n", median(ratios));
    apply_style(Theme::dark, 1);
    print_frame_cost(app);
    return 0;
}
