// ouaf train RECIPE: fits a classification head and writes a model bundle.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/train/trainer.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string recipe;
    std::string data;
    std::string backbone;
    std::string out;
};

void print_accuracy(const char* weights, const Evaluation& evaluation) {
    std::printf("test, %-7s  top-1 %.2f %%  top-5 %.2f %%  cross-entropy %.4f\n", weights,
                100 * evaluation.accuracy.top1, 100 * evaluation.accuracy.top5, evaluation.accuracy.cross_entropy);
}

void run(const Options& options) {
    Recipe recipe = read_recipe(options.recipe);
    if (!options.data.empty()) recipe.data = options.data;
    if (!options.backbone.empty()) recipe.backbone = options.backbone;
    const std::filesystem::path folder = options.out.empty() ? "runs/" + recipe.name : options.out;
    TrainingResult result;
    {
        ProgressLine line;
        result = train(recipe, folder, {[&](std::string_view stage, double share) { line.show(stage, share); }});
    }
    for (const PhotoFailure& failure : result.failures) std::fprintf(stderr, "left out: %s\n", failure.cause.c_str());
    std::printf("%s training photos of %zu classes (%zu began from the backbone's own), training loss %.4f\n",
                grouped(result.training_photos).c_str(), result.classes, result.known_classes,
                result.training_cross_entropy);
    std::printf("%s test photos\n", grouped(result.int8.photos).c_str());
    print_accuracy("float32", result.float32);
    print_accuracy("int8", result.int8);
    std::printf("model bundle: %s\n", result.model.c_str());
}

}  // namespace

void add_train(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("train", "Train a classifier as a recipe says");
    command->add_option("recipe", options->recipe, "a TOML file, such as recipes/dogs_head.toml")->required();
    command->add_option("--data", options->data, "the data set's folder, instead of the recipe's");
    command->add_option("--backbone", options->backbone, "the bundle to start from, instead of the recipe's");
    command->add_option("--out", options->out, "the run's folder (default: runs/ and the recipe's name)");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
