// ouaf train RECIPE: trains a classifier as the recipe says. ouaf train --resume RUN: goes on with a run.
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/commands/rate_curve.hpp"
#include "native/commands/stop_signals.hpp"
#include "native/files/files.hpp"
#include "native/train/fit_trainer.hpp"
#include "native/train/processes.hpp"
#include "native/train/trainer.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string recipe;
    std::string data;
    std::vector<std::string> classes;
    std::string backbone;
    std::string out;
    std::string resume;
    std::vector<std::string> overrides;
    int until = whole_run;
    bool find_rate = false;
    DeviceChoice device = DeviceChoice::automatic;
};

void print_accuracy(const char* what, const Accuracy& accuracy) {
    std::printf("%s  top-1 %.2f %%  top-5 %.2f %%  cross-entropy %.4f\n", what, 100 * accuracy.top1,
                100 * accuracy.top5, accuracy.cross_entropy);
}

void print_head(const TrainingResult& result) {
    for (const PhotoFailure& failure : result.failures) std::fprintf(stderr, "left out: %s\n", failure.cause.c_str());
    std::printf("%s training photos of %zu classes (%zu began from the backbone's own), training loss %.4f\n",
                grouped(result.training_photos).c_str(), result.classes, result.known_classes,
                result.training_cross_entropy);
    std::printf("%s test photos\n", grouped(result.int8.photos).c_str());
    print_accuracy("test, float32", result.float32.accuracy);
    print_accuracy("test, int8   ", result.int8.accuracy);
    std::printf("model bundle: %s\n", result.model.c_str());
}

void print_fit(const FitOutcome& outcome, const std::filesystem::path& folder) {
    for (const std::string& photo : outcome.unreadable) std::fprintf(stderr, "left out: %s\n", photo.c_str());
    if (!outcome.fit.finished) {
        std::printf("stopped and saved; go on with: ouaf train --resume %s\n", folder.c_str());
        return;
    }
    std::printf("%s parameters, %s pictures to train, %s to choose the epoch by: epoch %d of %d\n",
                grouped(static_cast<std::size_t>(outcome.parameters)).c_str(),
                grouped(static_cast<std::size_t>(outcome.training_pictures)).c_str(),
                grouped(static_cast<std::size_t>(outcome.validation_pictures)).c_str(), outcome.fit.best_epoch,
                outcome.fit.epochs);
    print_accuracy("validation   ", outcome.fit.best);
    print_accuracy("test, float32", outcome.test);
    if (outcome.int8) print_accuracy("test, int8   ", *outcome.int8);
    std::printf("network: %s\n", outcome.network.c_str());
    if (!outcome.model.empty()) std::printf("model bundle: %s\n", outcome.model.c_str());
}

FitRunReport report_to(ProgressLine& line) {
    return {{[](const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); },
             [&line](std::string_view stage, double share) { line.show(stage, share); }},
            [&line](double share) { line.show("training", share); },
            [](const EpochReport& epoch) {
                std::printf("epoch %d  loss %.4f  validation loss %.4f  top-1 %.2f %%  %.0f pictures/s\n", epoch.epoch,
                            epoch.training_loss, epoch.validation.cross_entropy, 100 * epoch.validation.top1,
                            epoch.images_per_second);
                std::fflush(stdout);
            }};
}

// What only the first of several processes says.
FitRunReport report_of(const Processes& processes, ProgressLine& line) {
    if (processes.first()) return report_to(line);
    return {{[](const std::string&) {}, [](std::string_view, double) {}}, [](double) {}, [](const EpochReport&) {}};
}

// The picture and rates.csv; the run's folder stays as it is.
void find_and_print_rate(const Options& options, const Recipe& recipe, const std::atomic<bool>& stopped) {
    if (recipe.stages.empty()) throw std::runtime_error(options.recipe + ": --find-rate needs a recipe with [train]");
    RateCurve curve;
    {
        ProgressLine line;
        curve = find_rate(recipe, stopped, report_to(line));
    }
    const std::filesystem::path folder = options.out.empty() ? "." : options.out;
    std::filesystem::create_directories(folder);
    write_text(folder / "rates.csv", csv_of(curve));
    std::printf("smoothed loss over the learning rate, %zu steps\n\n%s\n", curve.steps.size(),
                picture_of(curve).c_str());
    if (curve.suggested)
        std::printf("the loss falls fastest at %.1e; try --set train.learning_rate=%.1e\n", *curve.suggested,
                    *curve.suggested);
    else std::printf("the loss falls at no rate\n");
    std::printf("%s\n", (folder / "rates.csv").lexically_normal().c_str());
}

void run(const Options& options) {
    const std::atomic<bool>& stopped = stop_on_signals();
    if (!options.resume.empty()) {
        Processes processes = Processes::from_environment();
        const FitHost host{processes, open_device(options.device, processes.local_rank())};
        FitOutcome outcome;
        {
            ProgressLine line;
            outcome = resume_fit(options.resume, stopped, report_of(processes, line), options.until, host);
        }
        if (processes.first()) print_fit(outcome, options.resume);
        return;
    }
    if (options.recipe.empty()) throw CLI::RequiredError("a recipe, or --resume with a run's folder");
    Recipe recipe = read_recipe(options.recipe, options.overrides);
    if (!options.data.empty()) recipe.data.root = options.data;
    if (!options.classes.empty()) recipe.data.classes = options.classes;
    if (!options.backbone.empty()) recipe.backbones = {options.backbone};
    if (options.find_rate) return find_and_print_rate(options, recipe, stopped);
    const std::filesystem::path folder = options.out.empty() ? "runs/" + recipe.name : options.out;
    Processes processes = Processes::from_environment();
    if (!recipe.stages.empty()) {
        const FitHost host{processes, open_device(options.device, processes.local_rank())};
        FitOutcome outcome;
        {
            ProgressLine line;
            outcome = start_fit(recipe, folder, stopped, report_of(processes, line), options.until, host);
        }
        if (processes.first()) print_fit(outcome, folder);
        return;
    }
    if (!processes.alone())
        throw std::runtime_error(options.recipe + ": a head alone is fitted by one process; start one, not " +
                                 std::to_string(processes.count()));
    if (options.until != whole_run)
        throw std::runtime_error(options.recipe + ": --until needs a recipe with [train]; a head is fitted at once");
    TrainingResult result;
    {
        ProgressLine line;
        result = train(recipe, folder, {[&](std::string_view stage, double share) { line.show(stage, share); }});
    }
    print_head(result);
}

}  // namespace

void add_train(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("train", "Train a classifier as a recipe says");
    command->add_option("recipe", options->recipe, "a TOML file, such as recipes/dogs_head.toml");
    command->add_option("--data", options->data, "the data set, instead of the recipe's");
    command->add_option("--classes", options->classes, "only these classes, by folder, id or name: a,b,c")
        ->delimiter(',');
    command->add_option("--backbone", options->backbone, "the bundle to start from, instead of the recipe's");
    command->add_option("--out", options->out, "the run's folder (default: runs/ and the recipe's name)");
    CLI::Option* resume = command->add_option("--resume", options->resume, "go on with the run in this folder");
    command
        ->add_option("--set", options->overrides, "KEY=VALUE in place of the recipe's, as train.epochs=3; repeatable")
        ->allow_extra_args(false)
        ->excludes(resume);
    command->add_option("--until", options->until, "save and stop after this epoch, to go on later with --resume")
        ->check(CLI::Range(1, 100'000));
    command
        ->add_flag("--find-rate", options->find_rate,
                   "train nothing: look where the loss falls while the learning rate grows; writes rates.csv")
        ->excludes(resume);
    const std::map<std::string, DeviceChoice> devices{
        {"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}};
    command->add_option("--device", options->device, "auto (a GPU where there is one), cpu or cuda")
        ->transform(CLI::Transformer(devices))
        ->type_name("DEVICE");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
