// A run from its start by a click to its end, steered on the way; then its mistakes and its export. Asserted on its
// folder and on the trainer's state.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <regex>
#include <string_view>

#include "native/files/csv.hpp"
#include "native/files/files.hpp"
#include "tests/dashboard/stage.hpp"
#include "tests/dashboard/workplace.hpp"

using namespace ouaf::dashboard;
namespace fs = std::filesystem;

namespace {

double last_rate(const fs::path& run) { return events_of(run, "step").back().value("learning_rate", 0.0); }

std::size_t steps_of(const fs::path& run) { return events_of(run, "step").size(); }

void steer(ImGuiTestContext& hand, App& app, const Workplace& place) {
    const fs::path run = place.run("shapes");
    const auto state = [&] { return app.session.status().state; };
    hand.SetRef("Run control");
    IM_CHECK(wait_until(hand, 20, [&] { return !app.waits(); }));
    hand.ItemClick("Start");
    IM_CHECK(wait_until(hand, 60, [&] { return state() == State::training && steps_of(run) > 3; }));
    IM_CHECK(wait_until(hand, 10, [&] { return app.run() && app.run()->folder == run && app.run()->events > 3; }));

    hand.ItemClick("Pause");
    IM_CHECK(wait_until(hand, 10, [&] { return state() == State::paused; }));
    const std::size_t paused_at = steps_of(run);
    hand.SleepNoSkip(0.5F, 0.1F);
    IM_CHECK_EQ(steps_of(run), paused_at);

    hand.WindowFocus("//Try a photo");
    app.dropped = {place.photo("circle/circle_000.jpg")};
    IM_CHECK(wait_until(hand, 20, [&] { return app.answer.has_value(); }));
    IM_CHECK_STR_EQ(app.answer->error.c_str(), "");
    IM_CHECK_EQ(app.answer->top.size(), 5U);
    IM_CHECK(app.answer->in_training);

    hand.ItemClick("Go on");
    IM_CHECK(wait_until(hand, 10, [&] { return steps_of(run) > paused_at; }));
    hand.ItemInputValue("learning rate", "0.0005");
    IM_CHECK(wait_until(hand, 10, [&] { return last_rate(run) == 0.0005; }));
    IM_CHECK_EQ(events_of(run, "changed").size(), 1U);
    hand.ItemInputValue("epochs", "300");
    IM_CHECK(wait_until(hand, 10, [&] { return events_of(run, "changed").size() == 2; }));
    IM_CHECK_EQ(events_of(run, "changed").back().value("epochs", 0), 300);

    hand.ItemClick("Stop");
    IM_CHECK(wait_until(hand, 20, [&] { return state() == State::stopped; }));
    IM_CHECK(fs::exists(run / "last.safetensors"));
    const std::size_t stopped_at = steps_of(run);

    IM_CHECK(wait_until(hand, 10, [&] { return hand.ItemExists("Go on with shapes"); }));
    hand.ItemClick("Go on with shapes");
    IM_CHECK(wait_until(hand, 30, [&] { return state() == State::training && steps_of(run) > stopped_at; }));
    IM_CHECK_EQ(last_rate(run), 0.0005);  // it was part of the checkpoint
    hand.ItemInputValue("epochs", "2");   // fewer than have begun: the run ends with this one
    IM_CHECK(wait_until(hand, 120, [&] { return state() == State::idle; }));
}

// The matrix stands in a plot: the middle of a cell is where the plot says.
void look_at_mistakes(ImGuiTestContext& hand, App& app, const Workplace& place) {
    const fs::path run = place.run("shapes");
    IM_CHECK(wait_until(hand, 10, [&] { return app.run() && app.run()->has_model; }));
    hand.WindowFocus("//Mistakes");
    IM_CHECK(wait_until(hand, 10, [&] { return app.mistakes.contains(run) && !app.waits(); }));
    const Mistakes reported = *app.mistakes.at(run);  // by the run's own test
    hand.ItemClick("//Mistakes/test again");
    const auto is_tested = [&] { return app.session.status().stage == "tested" && !app.waits(); };
    IM_CHECK(wait_until(hand, 60, is_tested));
    hand.Yield(3);  // it is drawn
    const Mistakes& mistakes = *app.mistakes.at(run);
    IM_CHECK(mistakes.confusion == reported.confusion);
    IM_CHECK_EQ(mistakes.photos.front().path, reported.photos.front().path);
    IM_CHECK_EQ(mistakes.photos.size(), 48U);
    const double share = events_of(run, "test").back().value("top1", -1.0);
    IM_CHECK_EQ(mistakes.top1, share);  // what the run says of the same weights

    ImGuiWindow* matrix = nullptr;
    for (ImGuiWindow* window : ImGui::GetCurrentContext()->Windows)
        if (window->WasActive && std::string_view(window->Name).find("/matrix_") != std::string_view::npos)
            matrix = window;
    IM_CHECK(matrix != nullptr);
    const fs::path before = app.answer ? app.answer->photo : fs::path();
    bool other = false;
    for (int i = 0; i < 6 && !other; ++i) {  // about the diagonal's cells, until one with photos was hit
        const float part = (static_cast<float>(i) + 0.5F) / 6;
        const ImRect inner = matrix->InnerRect;
        hand.MouseMoveToPos({inner.Min.x + inner.GetWidth() * (0.12F + 0.87F * part),
                             inner.Min.y + inner.GetHeight() * (0.06F + 0.88F * part)});
        hand.MouseClick();
        hand.Yield(4);
        IM_CHECK(wait_until(hand, 20, [&] { return !app.waits(); }));
        other = app.answer && app.answer->photo != before;
    }
    IM_CHECK(other);  // the first photo of the cell was looked at: its heat map was asked for
    const auto shown = std::find_if(mistakes.photos.begin(), mistakes.photos.end(),
                                    [&](const TestedPhoto& photo) { return photo.path == app.answer->photo; });
    IM_CHECK(shown != mistakes.photos.end());
    IM_CHECK_EQ(app.answer->top.front().label, shown->predicted);
}

void miss_a_photo(ImGuiTestContext& hand, App& app, const fs::path& photo) {
    hand.WindowFocus("//Mistakes");
    IM_CHECK(wait_until(hand, 10, [&] { return app.mistakes.size() == 1 && !app.waits(); }));
    hand.ItemClick("//Mistakes/**/Gallery");
    constexpr int side = 192;  // of photo_button
    IM_CHECK(wait_until(hand, 20, [&] { return app.photos.fault(photo, side) == "deleted"; }));
}

void export_model(ImGuiTestContext& hand, App&, const Workplace& place) {
    const fs::path folder = place.run("shapes") / "export";
    hand.WindowFocus("//Export");
    hand.ItemClick("//Export/Export the run's model");
    IM_CHECK(
        wait_until(hand, 60, [&] { return fs::exists(folder / "int8.onnx") && fs::exists(folder / "float32.onnx"); }));
    IM_CHECK(fs::file_size(folder / "int8.onnx") < fs::file_size(folder / "float32.onnx") / 2);

    IM_CHECK(wait_until(hand, 60, [&] { return hand.ItemExists("//Export/Open the page"); }));
    hand.ItemClick("//Export/Open the page");
    const fs::path log = folder / "serve.log";
    std::smatch address;
    std::string said;
    IM_CHECK(wait_until(hand, 10, [&] {
        said = fs::exists(log) ? ouaf::read_text(log) : "";
        return std::regex_search(said, address, std::regex("http://[^ \n]+"));
    }));
    const std::string ask =
        "/usr/bin/python3 -c 'import sys, urllib.request as net; "
        "sys.exit(b\"<html\" not in net.urlopen(sys.argv[1]).read())' " +
        address.str();
    IM_CHECK_EQ(std::system(ask.c_str()), 0);
}

}  // namespace

TEST_CASE("A run is started by a click, steered, stopped, gone on with, looked at and exported") {
    const Workplace place;
    {
        Stage stage(place.folder / "runs");
        stage.play([&](ImGuiTestContext& hand, App& app) { steer(hand, app, place); });
        REQUIRE(fs::exists(place.run("shapes") / "model" / "model.json"));
        stage.play([&](ImGuiTestContext& hand, App& app) { look_at_mistakes(hand, app, place); });
        stage.play([&](ImGuiTestContext& hand, App& app) { export_model(hand, app, place); });
    }
    const fs::path mistakes = place.run("shapes") / "report" / "mistakes.csv";
    const fs::path photo = ouaf::csv_rows(mistakes, ouaf::read_text(mistakes)).at(1).fields.at(0);
    fs::remove(photo);
    Stage later(place.folder / "runs");
    later.app().open_run(place.run("shapes"));
    later.play([&](ImGuiTestContext& hand, App& app) { miss_a_photo(hand, app, photo); });
}

TEST_CASE("A window that closes asks what becomes of its run, and a wrong key is refused before the start") {
    const Workplace place;
    Stage stage(place.folder / "runs");
    stage.play([&](ImGuiTestContext& hand, App& app) {
        hand.SetRef("Run control");
        IM_CHECK(wait_until(hand, 20, [&] { return !app.waits(); }));
        hand.ItemInputValue("**/##train.batch", "0");
        IM_CHECK(wait_until(hand, 10, [&] { return !app.waits(); }));
        IM_CHECK((hand.ItemInfo("Start").ItemFlags & ImGuiItemFlags_Disabled) != 0);
        hand.ItemInputValue("**/##train.batch", "8");
        IM_CHECK(wait_until(hand, 10, [&] { return !app.waits(); }));
        hand.ItemClick("Start");
        IM_CHECK(wait_until(hand, 60, [&] { return app.session.status().state == State::training; }));

        app.asks_to_close = true;  // as the window's own button does
        hand.Yield(3);
        hand.ItemClick("//A run goes on/Stay");
        IM_CHECK(!app.closing && !app.asks_to_close);
        IM_CHECK_EQ(app.session.status().stopping, false);
        app.asks_to_close = true;
        hand.Yield(3);
        hand.ItemClick("//A run goes on/Go on without a window");
        IM_CHECK(app.closing && app.goes_on);
        IM_CHECK_EQ(app.session.status().stopping, false);
        app.closing = app.goes_on = false;
        app.asks_to_close = true;
        hand.Yield(3);
        hand.ItemClick("//A run goes on/Stop and save");
        IM_CHECK(wait_until(hand, 20, [&] { return app.session.status().state == State::stopped; }));
        IM_CHECK(fs::exists(place.run("shapes") / "last.safetensors"));
    });
}

TEST_CASE("What is broken in a run's folder is said: a half-written line, a damaged checkpoint, a deleted photo") {
    const fs::path folder = fs::temp_directory_path() / "ouaf-dashboard-broken";
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::ofstream(folder / "recipe.toml") << "name = 'broken'\n";
    std::ofstream(folder / "metrics.jsonl") << R"({"event": "step", "epoch": 0.1, "loss": 2.5})"
                                               "\n"
                                            << "no event\n"
                                            << R"({"event": "step", "epoch": 0.2, "lo)";
    RunReader reader(folder);
    std::shared_ptr<const RunView> view = reader.read();
    REQUIRE(view->error.empty());
    REQUIRE(view->curves.loss.y == std::vector<double>{2.5});
    REQUIRE(view->damaged == 1);
    REQUIRE(view->half_line);
    REQUIRE(view->checkpoint.empty());
    REQUIRE(reader.read() == nullptr);  // nothing is new

    std::ofstream(folder / "metrics.jsonl", std::ios::app) << R"(ss": 2.25})"
                                                              "\n";
    const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const auto write_checkpoint = [&](std::size_t bytes) {
        std::ofstream file(folder / "last.safetensors", std::ios::binary);
        for (int i = 0; i < 8; ++i) file.put(static_cast<char>(header.size() >> (8 * i)));
        file << header << std::string(bytes, '\0');
    };
    write_checkpoint(7);
    view = reader.read();
    REQUIRE_FALSE(view->half_line);
    REQUIRE(view->curves.loss.y == std::vector<double>{2.5, 2.25});
    REQUIRE(view->checkpoint.find("last.safetensors: is cut off") != std::string::npos);
    write_checkpoint(8);
    REQUIRE(safetensors_fault(folder / "last.safetensors").empty());
    std::ofstream(folder / "last.safetensors") << "torn";
    REQUIRE(safetensors_fault(folder / "last.safetensors") == "is cut off or no checkpoint");

    RunReader none(folder / "nowhere");
    REQUIRE(none.read()->error.find("there is no such folder") != std::string::npos);

    Stage stage(folder / "runs");
    stage.play([&](ImGuiTestContext& hand, App& app) {
        IM_CHECK(app.photos.find(folder / "gone.jpg", 64) == nullptr);
        IM_CHECK(wait_until(hand, 5, [&] { return !app.photos.fault(folder / "gone.jpg", 64).empty(); }));
        IM_CHECK_STR_EQ(app.photos.fault(folder / "gone.jpg", 64).c_str(), "deleted");
    });
}

TEST_CASE("A million lines are read in two seconds of the processor, and drawn of no more points than pixels ask for") {
    const fs::path folder = fs::temp_directory_path() / "ouaf-dashboard-long";
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::ofstream(folder / "recipe.toml") << "name = 'long'\n";
    {
        std::ofstream lines(folder / "metrics.jsonl");
        for (int i = 1; i <= 1'000'000; ++i)
            lines << R"({"event":"step","epoch":)" << i / 1000.0 << R"(,"loss":)" << 1000.0 / i
                  << R"(,"learning_rate":0.001,"gradient_norm":1.5,"time":)" << 1'700'000'000 + i << "}\n";
    }
    RunReader reader(folder);
    const std::clock_t start = std::clock();
    const std::shared_ptr<const RunView> view = reader.read();
    REQUIRE(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 2);
    REQUIRE(view->curves.loss.y.size() == 1'000'000);
    REQUIRE(view->curves.loss.y.back() == 0.001);
    REQUIRE(thin(view->curves.loss, 0, 1000, 800).x.size() <= 4 * 800 + 2);
    fs::remove_all(folder);
}

TEST_CASE("A fresh start explains itself and offers the demo recipe") {
    const Workplace place;
    Stage stage(place.folder / "runs");
    stage.play([&](ImGuiTestContext& hand, App& app) {
        IM_CHECK(app.runs.empty());
        hand.ItemClick("//Curves/Choose the demo recipe");
        IM_CHECK(!app.wanted_recipe);  // Run control took it
        hand.KeyPress(ImGuiKey_F1);
        IM_CHECK(hand.GetWindowByRef("//Keys") != nullptr);
    });
}
