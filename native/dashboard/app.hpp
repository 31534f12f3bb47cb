// What the dashboard knows: the open runs, and what its panels share. Owned by the drawing thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "native/dashboard/background.hpp"
#include "native/dashboard/photos.hpp"
#include "native/dashboard/run_reader.hpp"
#include "native/dashboard/session.hpp"
#include "native/dashboard/style.hpp"
#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {

struct OpenRun {
    std::filesystem::path folder;
    std::shared_ptr<RunReader> reader;    // used by App::files alone
    std::shared_ptr<const RunView> view;  // null until it was read once
    std::size_t colour = 0;
    bool shown = true;  // among the curves
    bool reading = false;
};

struct App;

// Where a panel lies until somebody moves it.
enum class Place { left, below_left, main, below };

// One window of the dashboard. To add one: a file in panels/, its maker in panels/panels.hpp and a line in panels.cpp.
class Panel {
 public:
    Panel() = default;
    Panel(const Panel&) = delete;
    Panel& operator=(const Panel&) = delete;
    virtual ~Panel() = default;

    virtual const char* title() const = 0;
    virtual Place place() const = 0;
    virtual void draw(App& app) = 0;  // inside its window, from what is in memory alone

    // Whether what it shows is still on its way: a screenshot waits for it.
    virtual bool waits(const App&) const { return false; }

    bool open = true;
};

struct App {
    App(Surface& drawn_on, std::filesystem::path searched);

    Surface& surface;
    std::filesystem::path runs_folder;  // searched for runs

    std::vector<OpenRun> runs;
    std::size_t current = 0;  // the run that panels of one run show; any number where there is none
    std::vector<std::filesystem::path> found_runs;  // in runs_folder

    std::map<std::filesystem::path, std::shared_ptr<const Mistakes>> mistakes;  // by run, of those that were read

    // What the trainer thread answered last.
    std::optional<PhotoAnswer> answer;
    std::optional<SavedModel> saved_model;
    std::vector<ChangedPhoto> changed;  // until the panel that asked takes them

    std::optional<std::filesystem::path> wanted_recipe;  // that a panel asks Run control to choose
    std::vector<std::filesystem::path> dropped;          // files, in this frame

    std::vector<std::unique_ptr<Panel>> panels;
    Theme theme = Theme::dark;
    bool shows_keys = false;  // the window of F1
    bool resets_layout = false;
    bool asks_to_close = false;
    bool closing = false;  // the window closes after this frame
    bool goes_on = false;  // and the run goes on without it
    std::string message;   // of what went wrong last, until it is closed

    // These end first: what their threads deliver goes into what stands above.
    Photos photos;
    Background files;  // reads runs and small files
    Session session;

    // Of the current run; null where there is none or it was not read yet.
    const RunView* run() const;

    // Opens a run, or shows it where it is open already.
    void open_run(const std::filesystem::path& folder);
    void close_run(std::size_t place);

    // Has the run's test report read, where that was not tried before. Says whether it is on its way.
    bool read_mistakes(const std::filesystem::path& run);

    // Before each frame: what came from other threads, and what has to be asked of them. Says whether something came.
    bool update();

    // Whether something is still on its way.
    bool waits() const;

 private:
    void read_runs();
    void take(const Message& arrived);
    std::map<std::filesystem::path, bool> reports_;  // by run: whether it is being read
    std::chrono::steady_clock::time_point next_read_;
    std::chrono::steady_clock::time_point next_search_;
};

}  // namespace ouaf::dashboard
