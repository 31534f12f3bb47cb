// ouaf dashboard: watches, steers and explains training runs in a window.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "native/commands/commands.hpp"
#include "native/commands/stop_signals.hpp"
#include "native/dashboard/dashboard.hpp"

namespace ouaf::commands {

void add_dashboard(CLI::App& app) {
    struct All {
        dashboard::Options options;
        dashboard::ScreenshotOptions pictures;
    };
    const auto all = std::make_shared<All>();
    CLI::App* command = app.add_subcommand("dashboard", "Watch, steer and understand training runs in a window");
    command->add_option("runs", all->options.runs, "run folders to open");
    command->add_option("--runs", all->options.runs_folder, "where runs are looked for and new ones are made")
        ->capture_default_str();
    command->add_flag("--light", all->options.light, "light colours");
    CLI::Option* folder = command->add_option("--screenshot", all->pictures.folder,
                                              "write a picture of each panel into this folder, and open no window");
    command->add_option("--width", all->pictures.width, "of the pictures, pixels")
        ->check(CLI::Range(320, 8192))
        ->needs(folder)
        ->capture_default_str();
    command->add_option("--height", all->pictures.height, "of the pictures, pixels")
        ->check(CLI::Range(240, 8192))
        ->needs(folder)
        ->capture_default_str();
    command->add_option("--scale", all->pictures.scale, "of text and spaces in the pictures")
        ->check(CLI::Range(0.5, 4.0))
        ->needs(folder)
        ->capture_default_str();
    command->callback([all] {
        if (all->pictures.folder.empty()) dashboard::show(all->options, stop_on_signals());
        else dashboard::write_screenshots(all->options, all->pictures);
    });
}

}  // namespace ouaf::commands
