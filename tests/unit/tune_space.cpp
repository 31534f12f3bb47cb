// The space of a search: grids, draws, and what a tuning's file may say.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "native/tune/space.hpp"
#include "native/tune/tuning.hpp"

using namespace ouaf;

namespace {

namespace fs = std::filesystem;

// A folder with a recipe, removed at its end.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("ouaf-tuning-" + std::to_string(::getpid()));
    Folder() {
        fs::create_directories(path);
        std::ofstream(path / "recipe.toml") << "name = \"x\"\nnetwork = \"mlp\"\ndata = \"d\"\n[train]\nepochs = 12\n";
    }
    ~Folder() { fs::remove_all(path); }

    Tuning read(const std::string& text) const {
        std::ofstream(path / "tune.toml") << "recipe = \"recipe.toml\"\n" << text;
        return read_tuning(path / "tune.toml");
    }
};

}  // namespace

TEST_CASE("a grid has every combination, the last key fastest") {
    const Space space{{.key = "a", .choices = {"1", "2"}}, {.key = "b", .choices = {"'x'", "'y'", "'z'"}}};
    CHECK(grid(space) ==
          std::vector<Values>{{"1", "'x'"}, {"1", "'y'"}, {"1", "'z'"}, {"2", "'x'"}, {"2", "'y'"}, {"2", "'z'"}});
    CHECK(overrides(space, {"2", "'x'"}) == std::vector<std::string>{"a=2", "b='x'"});
}

TEST_CASE("draws are spread as their ranges say") {
    constexpr int draws = 10'000;
    // Four standard deviations of a share p of the draws, sqrt(p (1 - p) / draws), with p = 1/2 at most.
    const double margin = 4 * std::sqrt(0.25 / draws);
    const Space space{{.key = "log", .low = 1e-4, .high = 1e-1, .log = true},
                      {.key = "linear", .low = -2, .high = 6},
                      {.key = "whole", .low = 1, .high = 4, .integer = true},
                      {.key = "whole log", .low = 1, .high = 64, .log = true, .integer = true},
                      {.key = "choice", .choices = {"'a'", "'b'", "'c'", "'d'", "'e'"}}};
    std::map<std::string, int> choices;
    std::map<int, int> whole;
    double below_log = 0;
    double below_linear = 0;
    double ones = 0;
    for (int trial = 0; trial < draws; ++trial) {
        const Values values = draw(space, 5, trial);
        const double log = std::stod(values[0]);
        const double linear = std::stod(values[1]);
        REQUIRE((log >= 1e-4 && log <= 1e-1));
        REQUIRE((linear >= -2 && linear <= 6));
        below_log += log < std::pow(10, -3.25);  // a quarter of the three decades
        below_linear += linear < 0;              // a quarter of the 8
        ++whole[std::stoi(values[2])];
        const int whole_log = std::stoi(values[3]);
        REQUIRE((whole_log >= 1 && whole_log <= 64));
        ones += whole_log == 1;
        ++choices[values[4]];
    }
    CHECK(below_log / draws == Approx(0.25).margin(margin));
    CHECK(below_linear / draws == Approx(0.25).margin(margin));
    CHECK(ones / draws == Approx(std::log(1.5 / 0.5) / std::log(64.5 / 0.5)).margin(margin));
    REQUIRE(whole.size() == 4);
    for (const auto& [number, count] : whole) CHECK(static_cast<double>(count) / draws == Approx(0.25).margin(margin));
    REQUIRE(choices.size() == 5);
    for (const auto& [choice, count] : choices) CHECK(static_cast<double>(count) / draws == Approx(0.2).margin(margin));
}

TEST_CASE("a draw depends on the seed and the trial alone") {
    const Space space{{.key = "a", .low = 0, .high = 1}, {.key = "b", .low = 0, .high = 1}};
    const Values seventh = draw(space, 1, 7);
    draw(space, 1, 6);
    CHECK(draw(space, 1, 7) == seventh);
    CHECK(draw(space, 1, 8) != seventh);
    CHECK(draw(space, 2, 7) != seventh);
    CHECK(seventh[0] != seventh[1]);
}

TEST_CASE("a tuning is read in its file's order, and written to be read again") {
    const Folder folder;
    const Tuning tuning = folder.read(
        "method = \"asha\"\ntrials = 5\nseed = 3\nmonitor = \"validation_top1\"\nleast = 1\nfactor = 3\n[space]\n"
        "\"train.optimizer\" = [\"sgd\", \"adam\"]\ndropout = { low = 0, high = 0.5 }\n"
        "\"train.learning_rate\" = { low = 1e-4, high = 1e-1, log = true }\n"
        "\"train.seed\" = { low = 16, high = 100000, log = true, integer = true }\n");
    REQUIRE(tuning.space.size() == 4);
    CHECK(tuning.space[0].key == "train.optimizer");
    CHECK(tuning.space[0].choices == std::vector<std::string>{"\"sgd\"", "\"adam\""});
    CHECK(tuning.space[1].key == "dropout");
    CHECK(tuning.space[2].log);
    CHECK(tuning.space[3].integer);
    CHECK(tuning.monitor == Monitor::validation_top1);
    CHECK(tuning.rungs == std::vector{1, 3, 12});
    REQUIRE(tuning.values.size() == 5);
    CHECK(tuning.values[4] == draw(tuning.space, 3, 4));

    const std::string text = to_toml(tuning);
    const Tuning again = folder.read(text.substr(text.find('\n') + 1));
    CHECK(to_toml(again) == text);
    CHECK(again.values == tuning.values);
}

TEST_CASE("a recipe of stages is searched as a whole") {
    const Folder folder;
    std::ofstream(folder.path / "recipe.toml") << "name = \"x\"\nnetwork = \"mlp\"\ndata = \"d\"\n[[stage]]\n"
                                                  "epochs = 2\n[[stage]]\nepochs = 7\n";
    const Tuning tuning =
        folder.read("method = \"asha\"\ntrials = 2\n[space]\n\"stage.2.learning_rate\" = [0.1, 0.2]\n");
    CHECK(tuning.rungs == std::vector{1, 3, 9});
    CHECK_THROWS_WITH(folder.read("[space]\n\"stage.3.batch\" = [1]\n"), Catch::Contains("there are 2 [[stage]]"));
    CHECK_THROWS_WITH(folder.read("method = \"asha\"\ntrials = 2\n[space]\n\"stage.1.epochs\" = [1, 2]\n"),
                      Catch::Contains("must not hold stage.1.epochs"));
}

TEST_CASE("what cannot be searched is said") {
    const Folder folder;
    const auto fails_with = [&](const std::string& text, const std::string& part) {
        CHECK_THROWS_WITH(folder.read(text), Catch::Contains(part));
    };
    const std::string rate = "[space]\n\"train.learning_rate\" = ";
    fails_with("", "'space' must be a table with the keys to search");
    fails_with("tries = 3\n", "'tries' is not a key of a tuning (known here: recipe, method, trials, ");
    fails_with("method = \"bayes\"\n", "'method' must be one of grid, random, asha");
    fails_with("[space]\n\"train.rate\" = [1]\n", "--set train.rate=1: 'rate' is not a key of a recipe");
    fails_with(rate + "[0.1, -1]\n", "'learning_rate' must be a number from 0 to 1000");
    fails_with(rate + "[]\n", "'train.learning_rate' has no choices");
    fails_with("[space]\ntrain.learning_rate = [0.1]\n", "a key with dots stands in quotes");
    fails_with(rate + "{ low = 1, high = 2 }\n", "lists alone for a grid; 'train.learning_rate' is a range");
    fails_with("trials = 3\n" + rate + "[1, 2]\n", "'trials' follows from the space in a grid");
    fails_with("least = 3\n" + rate + "[1, 2]\n", "'least' is for method = \"asha\" alone");
    const std::string random = "method = \"random\"\ntrials = 2\n";
    fails_with("method = \"random\"\n" + rate + "[1]\n", "'trials' must say how many are drawn");
    fails_with(random + rate + "{ low = 2, high = 1 }\n", "must have a low that is smaller than high");
    fails_with(random + rate + "{ low = 0, high = 1, log = true }\n", "must have a low above 0");
    fails_with(random + rate + "{ low = 0, high = 1, step = 2 }\n", "'step' is not a key of a range");
    fails_with(random + "[space]\n\"train.batch\" = { low = 1.5, high = 3, integer = true }\n",
               "must have whole numbers");
    const std::string asha = "method = \"asha\"\ntrials = 2\n";
    fails_with(asha + "least = 5\n" + rate + "[1]\n", "'least' times factor must be no more than the recipe's epochs");
    fails_with(asha + "[space]\n\"train.epochs\" = [1]\n", "must not hold train.epochs");
}
