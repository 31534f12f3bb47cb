// Recipes: what is read, and what is said about a wrong one.
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "native/train/recipe.hpp"
#include "native/train/run_directory.hpp"

namespace {

namespace fs = std::filesystem;

// A folder of its own for a test, removed at its end.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("ouaf-recipe-" + std::to_string(::getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }

    fs::path write(const std::string& text) const {
        std::ofstream(path / "recipe.toml") << text;
        return path / "recipe.toml";
    }
};

const std::string whole = "name = \"x\"\nbackbone = \"b\"\ndata = \"d\"\n";

}  // namespace

TEST_CASE("A recipe is read, and what it leaves out has a default") {
    const Folder folder;
    const ouaf::Recipe recipe = ouaf::read_recipe(folder.write(whole + "[head]\niterations = 7\npull_to_start = 1\n"));
    CHECK(recipe.name == "x");
    CHECK(recipe.head.iterations == 7);
    CHECK(recipe.head.pull_to_start == 1.0);
    CHECK(recipe.head.weight_decay == ouaf::HeadRecipe{}.weight_decay);
    const ouaf::Recipe again = ouaf::read_recipe(folder.write(ouaf::to_toml(recipe)));
    CHECK(again.head.iterations == 7);
    CHECK(again.data.root == "d");
}

TEST_CASE("What a recipe says of its data is read and written again") {
    const Folder folder;
    const std::string text =
        "name = \"x\"\nnetwork = \"n\"\ndata = \"d\"\nvalidation = 0.25\n"
        "split = [0.333333, 0.333333, 0.333334]\nclasses = [\"pug\", \"n02085936\"]\n[train]\nseed = 5\n";
    ouaf::Recipe recipe = ouaf::read_recipe(folder.write(text));
    for (int i = 0; i < 2; ++i) {
        CHECK(recipe.data.root == "d");
        CHECK(recipe.data.validation == 0.25);
        CHECK(recipe.data.split == std::array{0.333333, 0.333333, 0.333334});
        CHECK(recipe.data.classes == std::vector<std::string>{"pug", "n02085936"});
        CHECK(recipe.data.seed == 5);
        recipe = ouaf::read_recipe(folder.write(ouaf::to_toml(recipe)));
    }
}

TEST_CASE("A wrong recipe is refused with the key and the reason") {
    const Folder folder;
    const auto fails_with = [&](const std::string& text, const std::string& part) {
        CHECK_THROWS_WITH(ouaf::read_recipe(folder.write(text)), Catch::Contains(part));
    };
    fails_with("name = \"x\"\n", "'data' must be a text");
    fails_with("name = \"x\"\ndata = \"d\"\n", "'backbone' must be a text, or 'network' in its place");
    fails_with(whole + "epochs = 3\n",
               "'epochs' is not a key of a recipe (known here: name, network, data, backbone, validation, split, "
               "classes, dropout, pooling, batch_norms, fresh_head, stored_side, seen_share, crop_to_box, unreadable, "
               "weight_bits, head, train, augment, stage, distil)");
    fails_with(whole + "[head]\niterations = -1\n", "'iterations' must be a number from 0 to 100000");
    fails_with(whole + "[head]\npull_to_start = \"much\"\n", "'pull_to_start' must be a number");
    fails_with(whole + "head = 3\n", "'head' must be a table");
    fails_with(whole + "split = [0.5, 0.5]\n", "'split' must be three shares, [training, validation, test]");
    fails_with(whole + "split = [0.5, 0.3, 0.3]\n", "'split' must sum to 1, with a share for training");
    fails_with(whole + "split = [0, 0.5, 0.5]\n", "'split' must sum to 1, with a share for training");
    fails_with(whole + "split = [1.5, -0.5, 0]\n", "'split' must be a number from 0 to 1");
    fails_with(whole + "classes = 3\n", "'classes' must be a text, or a list of texts");
    fails_with(whole + "classes = [\"pug\", 3]\n", "'classes' must be a text, or a list of texts");
    fails_with("name = \"x/y\"\nbackbone = \"b\"\ndata = \"d\"\n", "'name' must not hold a /");
    fails_with(whole + "crop_to_box = true\n", "'crop_to_box' needs [train]: a head alone is fitted on whole photos");
    fails_with(whole + "fresh_head = true\n", "'fresh_head' needs [train]: a head alone begins from the rows");
    fails_with("name = \"x\"\nbackbone = [\"b\", \"c\"]\ndata = \"d\"\n", "'backbone' of several needs [train]");
    fails_with(whole + "stage = 1\n", "'stage' must be tables, each under [[stage]]");
    fails_with(whole + "[[stage]]\nepoch = 1\n", "'epoch' is not a key of a recipe");
    fails_with(whole + "[train]\nrounded = 0.1\nstart_share = 0.5\n", "'start_share' and 'rounded' exclude each other");
    fails_with(whole + "[[stage]]\nrounded = 0.1\n[[stage]]\n", "'rounded' stays on");
    fails_with("name = \"x\"\nnetwork = \"n\"\ndata = \"d\"\n", "'train' must be a table");
    fails_with("name = \n", "recipe.toml:1: ");
    CHECK_THROWS_WITH(ouaf::read_recipe(folder.path / "none.toml"), Catch::Contains("there is no such recipe"));
}

TEST_CASE("Stages say what they change of the rest, and are written again whole") {
    const Folder folder;
    ouaf::Recipe recipe = ouaf::read_recipe(
        folder.write(whole + "[train]\nepochs = 2\nbatch = 8\n[augment]\nflip = 0.5\n[[stage]]\ntrain_last = 0\n"
                             "[[stage]]\nepochs = 3\n[stage.augment]\ncrop = [0.5, 1]\n"));
    for (int i = 0; i < 2; ++i) {
        REQUIRE(recipe.stages.size() == 2);
        CHECK(recipe.stages[0].fit.epochs == 2);
        CHECK(recipe.stages[0].fit.train_last == 0);
        CHECK(recipe.stages[1].fit.epochs == 3);
        CHECK(recipe.stages[1].fit.train_last == -1);
        for (const ouaf::Stage& stage : recipe.stages) {
            CHECK(stage.fit.batch == 8);
            CHECK(stage.augment.flip == 0.5);
        }
        CHECK(recipe.stages[0].augment.crop == std::array{1.0, 1.0});
        CHECK(recipe.stages[1].augment.crop == std::array{0.5, 1.0});
        recipe = ouaf::read_recipe(folder.write(ouaf::to_toml(recipe)));
    }
}

TEST_CASE("Overrides stand over the recipe and are checked as its own keys") {
    const Folder folder;
    const fs::path path =
        folder.write("name = \"x\"\nnetwork = \"cnn\"\ndata = \"d\"\n[train]\nepochs = 3\nbatch = 8\n");
    const auto with = [&](std::vector<std::string> overrides) { return ouaf::read_recipe(path, overrides); };
    const ouaf::Recipe recipe =
        with({"train.learning_rate=1e-2", "network=mlp", "train.optimizer='lamb'", "augment.crop=[0.5, 1]",
              "train.bfloat16=true", "train.epochs=4", "train.epochs=5"});
    CHECK(recipe.stages.at(0).fit.learning_rate == 0.01);
    CHECK(recipe.network == "mlp");
    CHECK(recipe.stages.at(0).fit.optimizer.kind == ouaf::OptimizerKind::lamb);
    CHECK(recipe.stages.at(0).augment.crop == std::array{0.5, 1.0});
    CHECK(recipe.stages.at(0).fit.bfloat16);
    CHECK(recipe.stages.at(0).fit.epochs == 5);
    CHECK(recipe.stages.at(0).fit.batch == 8);

    const auto fails_with = [&](const std::string& override, const std::string& message) {
        CHECK_THROWS_WITH(with({override}), Catch::StartsWith(message));
    };
    fails_with("train.epochs=1.5", "--set train.epochs=1.5: 'epochs' must be a whole number");
    fails_with("train.epochs=0", "--set train.epochs=0: 'epochs' must be a number from 1 to 100000");
    fails_with("train.epochs=0.0.1", "--set train.epochs=0.0.1: 'epochs' must be a number");
    fails_with("train.optimizer=adamn", "--set train.optimizer=adamn: 'optimizer' must be one of sgd, ");
    fails_with("train.rate=1", "--set train.rate=1: 'rate' is not a key of a recipe (known here: epochs, ");
    fails_with("train=1", "--set train=1: 'train' must be a table");
    for (const std::string wrong : {"train.epochs", "=3", "train.=3", "train epochs=3"})
        fails_with(wrong, "--set " + wrong + ": must be KEY=VALUE, such as train.learning_rate=0.01");
    // What the recipe itself says wrong is still said of the recipe.
    CHECK_THROWS_WITH(ouaf::read_recipe(folder.write(whole + "[head]\niterations = -1\n"),
                                        std::vector<std::string>{"validation=0.2"}),
                      Catch::StartsWith((folder.path / "recipe.toml").string() + ": 'iterations' must be"));
}

TEST_CASE("Overrides reach single stages, by their place") {
    const Folder folder;
    const fs::path path = folder.write("name = \"x\"\nnetwork = \"cnn\"\ndata = \"d\"\n[train]\nepochs = 3\n" +
                                       std::string("[[stage]]\ntrain_last = 0\n[[stage]]\nbatch = 8\n"));
    const auto with = [&](std::vector<std::string> overrides) { return ouaf::read_recipe(path, overrides); };
    const ouaf::Recipe recipe =
        with({"stage.2.learning_rate=0.5", "stage.1.epochs=1", "stage.2.augment.flip=0.5", "train.epochs=7"});
    CHECK(recipe.stages.at(0).fit.epochs == 1);
    CHECK(recipe.stages.at(0).fit.train_last == 0);
    CHECK(recipe.stages.at(1).fit.epochs == 7);
    CHECK(recipe.stages.at(1).fit.learning_rate == 0.5);
    CHECK(recipe.stages.at(1).fit.batch == 8);
    CHECK(recipe.stages.at(1).augment.flip == 0.5);
    for (const std::string wrong :
         {"stage.3.epochs=1", "stage.0.epochs=1", "stage.01.epochs=1", "stage.last.epochs=1", "stage.1=2"})
        CHECK_THROWS_WITH(with({wrong}), "--set " + wrong + ": must be stage.PLACE.KEY; there are 2 [[stage]]");
    CHECK_THROWS_WITH(with({"stage.2.rate=1"}), Catch::StartsWith("--set stage.2.rate=1: 'rate' is not a key"));
}

TEST_CASE("A recipe chooses dropout and pooling of the networks that have them") {
    const Folder folder;
    const std::string text = "name = \"x\"\nnetwork = \"mnist_cnn\"\ndata = \"d\"\n[train]\n";
    const fs::path path = folder.write(text);
    CHECK(!ouaf::read_recipe(path).network_options.dropout);
    ouaf::Recipe recipe = ouaf::read_recipe(path, std::vector<std::string>{"dropout=0.3", "pooling=average"});
    recipe = ouaf::read_recipe(folder.write(ouaf::to_toml(recipe)));

    const auto counts = [&](const std::string& network, const ouaf::NetworkOptions& options) {
        std::map<std::string, int> of;
        for (const ouaf::graph::Node& node : ouaf::make_network(network, options, {1, 28, 28}, 10, 0).nodes)
            ++of[node.op];
        return of;
    };
    const auto as_it_is = counts(recipe.network, {});
    CHECK(as_it_is.at("MaxPool") == 1);
    CHECK(!as_it_is.contains("AveragePool"));
    CHECK(as_it_is.at("Dropout") == 2);  // of the stage and of the dense layer
    const auto changed = counts(recipe.network, recipe.network_options);
    CHECK(changed.at("AveragePool") == 1);
    CHECK(!changed.contains("MaxPool"));
    CHECK(counts(recipe.network, {0.0, {}}).at("Dropout") == 1);
    CHECK_THROWS_WITH(counts("resnet18", {0.0, {}}), "the network has no dropout to choose; leave 'dropout' out");
    CHECK_THROWS_WITH(counts("mlp", {{}, ouaf::graph::builders::Pooling::max}),
                      "the network has no pooling to choose; leave 'pooling' out");
    CHECK_THROWS_WITH(ouaf::read_recipe(folder.write(whole), std::vector<std::string>{"dropout=0.5"}),
                      "--set dropout=0.5: 'dropout' needs [train]: a head alone is fitted without it");
    CHECK_THROWS_WITH(ouaf::read_recipe(folder.write(whole), std::vector<std::string>{"pooling=max"}),
                      "--set pooling=max: 'pooling' needs 'network': a backbone stays as it is");
}

TEST_CASE("No run overwrites another") {
    const Folder folder;
    ouaf::Recipe recipe;
    recipe.name = "a";
    const ouaf::RunDirectory run(folder.path / "runs" / "a", recipe);
    CHECK(fs::exists(folder.path / "runs" / "a" / "recipe.toml"));
    CHECK_THROWS_WITH(ouaf::RunDirectory(folder.path / "runs" / "a", recipe),
                      Catch::Contains("a run of this name is there"));
}
