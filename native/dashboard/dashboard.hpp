// `ouaf dashboard`: the window from its opening to its close, and pictures of its panels without one.
#pragma once

#include <atomic>
#include <filesystem>
#include <vector>

namespace ouaf::dashboard {

struct Options {
    std::vector<std::filesystem::path> runs;  // to open; without any, the latest below `runs_folder` is offered
    std::filesystem::path runs_folder = "runs";
    bool light = false;
};

// Returns when the window was closed and no run goes on without it. Once `stop` is set, as Ctrl-C does, the run is
// stopped and saved.
void show(const Options& options, const std::atomic<bool>& stop);

struct ScreenshotOptions {
    std::filesystem::path folder;  // made where it is not there
    int width = 1440;
    int height = 900;
    float scale = 1;
};

// Writes dashboard.png, the whole window, and one picture of each panel, once they show what they read.
void write_screenshots(const Options& options, const ScreenshotOptions& pictures);

}  // namespace ouaf::dashboard
