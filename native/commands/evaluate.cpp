// ouaf evaluate: how right a bundle is on labelled photos, and how fast.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/evaluate/metrics.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string model = "models/dogs";
    std::string data;
    std::string list;
    bool json = false;
};

void print(const Bundle& bundle, const Evaluation& evaluation) {
    std::printf("%s: %s photos\n", bundle.name.c_str(), grouped(evaluation.photos).c_str());
    std::printf("top-1          %.2f %%\n", 100 * evaluation.accuracy.top1);
    std::printf("top-5          %.2f %%\n", 100 * evaluation.accuracy.top5);
    std::printf("cross-entropy  %.4f\n", evaluation.accuracy.cross_entropy);
    std::printf("images/s       %.1f\n", evaluation.images_per_second);
}

void print_json(const Bundle& bundle, const Evaluation& evaluation, const MatchedSamples& matched) {
    auto unreadable = nlohmann::ordered_json::array();
    for (const PhotoFailure& failure : evaluation.failures) {
        unreadable.push_back({{"file", matched.samples[failure.sample].path.string()}, {"error", failure.cause}});
    }
    const nlohmann::ordered_json json{{"model", bundle.name},
                                      {"photos", evaluation.photos},
                                      {"top1", evaluation.accuracy.top1},
                                      {"top5", evaluation.accuracy.top5},
                                      {"cross_entropy", evaluation.accuracy.cross_entropy},
                                      {"images_per_second", evaluation.images_per_second},
                                      {"left_out", matched.left_out},
                                      {"unreadable", unreadable}};
    std::cout << json.dump() << "\n";
}

void run(const Options& options) {
    const Model model = load_model(options.model);
    const auto list = options.list.empty() ? std::nullopt : std::optional<std::filesystem::path>(options.list);
    const MatchedSamples matched = match_classes(open_evaluation_set(options.data, list), model.bundle);
    if (matched.left_out > 0) {
        std::fprintf(stderr, "left out: %s photos of %zu classes that the model doesn't know, such as '%s'\n",
                     grouped(matched.left_out).c_str(), matched.unknown_classes.size(),
                     matched.unknown_classes.front().c_str());
    }
    Evaluation evaluation;
    {
        ProgressLine line;
        evaluation = evaluate(model, matched.samples, [&](std::size_t done, std::size_t total) {
            line.show("photos", static_cast<double>(done) / static_cast<double>(total));
        });
    }
    for (const PhotoFailure& failure : evaluation.failures) {
        std::fprintf(stderr, "left out: %s: %s\n", matched.samples[failure.sample].path.c_str(), failure.cause.c_str());
    }
    if (options.json) print_json(model.bundle, evaluation, matched);
    else print(model.bundle, evaluation);
}

}  // namespace

void add_evaluate(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("evaluate", "Measure a model on labelled photos");
    command->add_option("--model", options->model, "a model bundle's folder")->capture_default_str();
    command->add_option("--data", options->data, "Stanford Dogs, a folder with one folder a class, or a CSV file")
        ->required();
    command->add_option("--list", options->list,
                        "only these photos: a path a line, and its class after a comma if its folder doesn't say it");
    command->add_flag("--json", options->json, "one JSON object instead of text");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
