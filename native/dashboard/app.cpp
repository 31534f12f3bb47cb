// See app.hpp.
#include "native/dashboard/app.hpp"

#include <algorithm>
#include <exception>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/test_report.hpp"

namespace ouaf::dashboard {

App::App(Surface& drawn_on, std::filesystem::path searched)
    : surface(drawn_on),
      runs_folder(std::move(searched)),
      panels(make_panels()),
      photos([&drawn_on] { drawn_on.wake(); }),
      files([&drawn_on] { drawn_on.wake(); }),
      session([&drawn_on] { drawn_on.wake(); }) {}

const RunView* App::run() const { return current < runs.size() ? runs[current].view.get() : nullptr; }

void App::open_run(const std::filesystem::path& folder) {
    std::filesystem::path path = folder.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // of runs/a/
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const OpenRun& run) { return run.folder == path; });
    current = static_cast<std::size_t>(found - runs.begin());
    if (found != runs.end()) return;
    std::size_t colour = 0;
    const auto taken = [&] {
        return std::any_of(runs.begin(), runs.end(), [&](const OpenRun& run) { return run.colour == colour; });
    };
    while (taken()) ++colour;
    runs.push_back({path, std::make_shared<RunReader>(path), nullptr, colour, true, false});
    next_read_ = {};
}

void App::close_run(std::size_t place) {
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(place));
    if (current > place || current == runs.size()) current = current == 0 ? 0 : current - 1;
}

void App::read_runs() {
    for (OpenRun& run : runs) {
        if (run.reading) continue;
        run.reading = true;
        files.add([this, folder = run.folder, reader = run.reader] {
            std::shared_ptr<const RunView> view = reader->read();
            return [this, folder, view] {
                for (OpenRun& open : runs) {
                    if (open.folder != folder) continue;
                    open.reading = false;
                    if (view) open.view = view;
                }
            };
        });
    }
}

bool App::read_mistakes(const std::filesystem::path& run) {
    const auto [asked, is_new] = reports_.try_emplace(run, true);
    if (!is_new) return asked->second;
    files.add([this, run] {
        std::shared_ptr<const Mistakes> found;
        std::string fault;
        try {
            found = read_test_report(run);
        } catch (const std::exception& error) {
            fault = error.what();
        }
        return [this, run, found, fault] {
            reports_[run] = false;
            if (found) mistakes.try_emplace(run, found);
            if (!fault.empty()) message = fault;
        };
    });
    return true;
}

void App::take(const Message& arrived) {
    if (const auto* status = std::get_if<Status>(&arrived)) {
        if (status->state == State::failed) message = status->error;
    } else if (const auto* tested = std::get_if<std::shared_ptr<const Mistakes>>(&arrived)) {
        mistakes[(*tested)->run] = *tested;
    } else if (const auto* answered = std::get_if<PhotoAnswer>(&arrived)) {
        answer = *answered;
    } else if (const auto* result = std::get_if<SavedModel>(&arrived)) {
        saved_model = *result;
    } else if (const auto* photo = std::get_if<ChangedPhoto>(&arrived)) {
        changed.push_back(*photo);
    }
}

bool App::update() {
    using namespace std::chrono_literals;
    bool came = files.collect();
    came = photos.collect() || came;
    for (const Message& arrived : session.collect()) {
        take(arrived);
        came = true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_read_) {
        next_read_ = now + 500ms;
        read_runs();
    }
    if (now >= next_search_) {
        next_search_ = now + 5s;
        files.add([this, root = runs_folder] { return [this, found = find_runs(root)] { found_runs = found; }; });
    }
    return came;
}

bool App::waits() const {
    const auto is_read = [](const auto& report) { return report.second; };
    if (std::any_of(reports_.begin(), reports_.end(), is_read)) return true;
    if (!photos.idle() || std::any_of(runs.begin(), runs.end(), [](const OpenRun& run) { return !run.view; }))
        return true;
    return std::any_of(panels.begin(), panels.end(), [this](const auto& panel) { return panel->waits(*this); });
}

}  // namespace ouaf::dashboard
