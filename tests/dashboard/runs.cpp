// A run from its start by a click to its end, steered on the way; asserted on its folder and on the trainer's state.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "native/files/files.hpp"
#include "tests/dashboard/stage.hpp"

using namespace ouaf;
using namespace ouaf::dashboard;
namespace fs = std::filesystem;

namespace {

// A folder to work in, with a recipe of a network that is trained in seconds, and drawn pictures.
struct Workplace {
    Workplace() {
        fs::remove_all(folder);
        fs::create_directories(folder / "recipes");
        setenv("OUAF_CACHE", (folder / "cache").c_str(), 1);
        const std::string draw =
            std::string(OUAF_PYTHON) + " " + OUAF_DRAWN_SHAPES + " " + (folder / "shapes").string() + " 16 48";
        REQUIRE(std::system(draw.c_str()) == 0);
        write_text(folder / "recipes" / "shapes.toml", R"(name = "shapes"
network = "cats_and_dogs_cnn"
data = ")" + (folder / "shapes").string() + R"("
validation = 0.25
[train]
epochs = 400
batch = 12
size = 48
learning_rate = 0.001
optimizer = "adam"
)");
        fs::current_path(folder);
    }
    ~Workplace() { fs::current_path("/"); }

    fs::path folder = fs::temp_directory_path() / "ouaf-dashboard";
};

std::vector<nlohmann::json> events_of(const fs::path& run, const std::string& kind) {
    std::vector<nlohmann::json> events;
    std::ifstream lines(run / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);) {
        auto event = nlohmann::json::parse(line, nullptr, false);
        if (event.is_object() && event.value("event", "") == kind) events.push_back(std::move(event));
    }
    return events;
}

std::size_t steps_of(const fs::path& run) { return events_of(run, "step").size(); }

void type_value(ImGuiTestContext& hand, const char* item, const std::string& value) {
    hand.ItemInputValue(item, value.c_str());
}

}  // namespace

TEST_CASE("A run is started by a click, paused, gone on with, changed, asked about a photo, stopped and gone on with") {
    const Workplace place;
    const fs::path run = place.folder / "runs" / "shapes";
    Stage stage(place.folder / "runs");
    stage.play([&](ImGuiTestContext& hand, App& app) {
        const auto state = [&] { return app.session.status().state; };
        hand.SetRef("Run control");
        IM_CHECK(wait_until(hand, 20, [&] { return !app.panels[1]->waits(app); }));
        hand.ItemClick("Start");
        IM_CHECK(wait_until(hand, 60, [&] { return state() == State::training && steps_of(run) > 3; }));
        IM_CHECK(wait_until(hand, 10, [&] { return app.run() && app.run()->folder == run && app.run()->events > 3; }));

        hand.ItemClick("Pause");
        IM_CHECK(wait_until(hand, 10, [&] { return state() == State::paused; }));
        const std::size_t paused_at = steps_of(run);
        hand.SleepNoSkip(0.5F, 0.1F);
        IM_CHECK_EQ(steps_of(run), paused_at);

        // A photo in a pause: the trainer answers between two steps.
        app.dropped = {place.folder / "shapes" / "test" / "circle" / "circle_000.jpg"};
        hand.WindowFocus("//Try a photo");
        app.dropped = {place.folder / "shapes" / "test" / "circle" / "circle_000.jpg"};
        IM_CHECK(wait_until(hand, 20, [&] { return app.answer.has_value(); }));
        IM_CHECK_STR_EQ(app.answer->error.c_str(), "");
        IM_CHECK_EQ(app.answer->top.size(), 5u);
        IM_CHECK(app.answer->in_training);

        hand.SetRef("Run control");
        hand.ItemClick("Go on");
        IM_CHECK(wait_until(hand, 10, [&] { return steps_of(run) > paused_at; }));

        type_value(hand, "learning rate", "0.0005");
        IM_CHECK(wait_until(hand, 10, [&] {
            const auto steps = events_of(run, "step");
            return steps.back().value("learning_rate", 0.0) == 0.0005;
        }));
        IM_CHECK_EQ(app.session.status().learning_rate, 0.0005);
        type_value(hand, "epochs", "300");
        IM_CHECK_EQ(app.session.status().stage_epochs, 300);

        hand.ItemClick("Stop");
        IM_CHECK(wait_until(hand, 20, [&] { return state() == State::stopped; }));
        IM_CHECK(fs::exists(run / "last.safetensors"));
        const std::size_t stopped_at = steps_of(run);

        IM_CHECK(wait_until(hand, 10, [&] { return hand.ItemExists("Go on with shapes"); }));
        hand.ItemClick("Go on with shapes");
        IM_CHECK(wait_until(hand, 30, [&] { return state() == State::training && steps_of(run) > stopped_at; }));
        IM_CHECK(wait_until(hand, 10, [&] {
            return events_of(run, "step").back().value("learning_rate", 0.0) ==
                   0.0005;  // it was part of the checkpoint
        }));
        type_value(hand, "epochs", "2");  // fewer than have begun: the run ends with this one
        IM_CHECK(wait_until(hand, 120, [&] { return state() == State::idle; }));
    });
    REQUIRE(events_of(run, "exported").size() == 1);
    REQUIRE(fs::exists(run / "model" / "model.json"));
}
