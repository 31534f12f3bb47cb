// ouaf evaluate: how right a bundle is on labelled photos, and how fast.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/evaluate/report.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string model = "models/dogs";
    std::string data;
    std::string list;
    std::string tta = "none";
    std::string report;
    std::vector<int> sizes;
    bool json = false;
};

const std::string& name_of(const Bundle& bundle, std::size_t index) { return bundle.classes.at(index).name.at("en"); }

void print_pairs(const Bundle& bundle, const Report& report) {
    constexpr std::size_t most = 10;
    const std::size_t count = std::min(most, report.look_alikes.size());
    if (count > 0) std::printf("most confused\n");
    for (const LookAlike& pair : std::span(report.look_alikes).first(count))
        std::printf("%8zu  %s, %s  (%zu and %zu)\n", pair.total(), name_of(bundle, pair.first).c_str(),
                    name_of(bundle, pair.second).c_str(), pair.first_as_second, pair.second_as_first);
}

// Classes with photos that are not always right, the smallest F1 first.
void print_weakest(const Bundle& bundle, const Report& report) {
    constexpr std::size_t most = 5;
    std::vector<std::size_t> weak;
    for (std::size_t i = 0; i < report.classes.size(); ++i)
        if (report.classes[i].support > 0 && report.classes[i].f1 < 1) weak.push_back(i);
    std::stable_sort(weak.begin(), weak.end(),
                     [&](std::size_t a, std::size_t b) { return report.classes[a].f1 < report.classes[b].f1; });
    if (!weak.empty()) std::printf("weakest\n");
    for (const std::size_t i : std::span(weak).first(std::min(most, weak.size()))) {
        const ClassMeasure& measure = report.classes[i];
        std::printf("  F1 %.2f  %s  (precision %.2f, recall %.2f, %zu photos)\n", measure.f1,
                    name_of(bundle, i).c_str(), measure.precision, measure.recall, measure.support);
    }
}

void print(const Bundle& bundle, const Evaluation& evaluation, const Report& report) {
    std::printf("%s: %s photos\n", bundle.name.c_str(), grouped(evaluation.photos).c_str());
    std::printf("top-1          %.2f %%\n", 100 * evaluation.accuracy.top1);
    std::printf("top-5          %.2f %%\n", 100 * evaluation.accuracy.top5);
    std::printf("macro F1       %.4f\n", report.macro.f1);
    std::printf("cross-entropy  %.4f\n", evaluation.accuracy.cross_entropy);
    std::printf("ECE            %.4f, of a calibrated model on so many photos %.4f\n",
                report.calibration.expected_error, report.calibration.by_chance);
    std::printf("temperature    %.4g, best on these photos %.4g (cross-entropy %.4f, ECE %.4f)\n",
                evaluation.temperature, report.best_temperature, report.best_cross_entropy,
                report.best_calibration.expected_error);
    std::printf("images/s       %.1f\n", evaluation.images_per_second);
    print_pairs(bundle, report);
    print_weakest(bundle, report);
}

void print_json(const Bundle& bundle, const Evaluation& evaluation, const Report& report,
                const MatchedSamples& matched) {
    nlohmann::ordered_json json{{"model", bundle.name}};
    json.update(scalar_measures(evaluation, report));
    json["left_out"] = matched.left_out;
    json["unreadable"] = unreadable_photos(matched, evaluation);
    std::cout << json.dump() << "\n";
}

Tta tta_of(const std::string& name) {
    const auto found = std::find(tta_names.begin(), tta_names.end(), name);
    return static_cast<Tta>(found - tta_names.begin());
}

// Before the photos are looked at, not after.
void make_report_folder(const std::filesystem::path& folder) {
    if (std::filesystem::exists(folder) && !std::filesystem::is_directory(folder))
        throw std::runtime_error(folder.string() + ": is no folder; give one for the report's files");
    std::filesystem::create_directories(folder);
}

Evaluation evaluate_with_progress(const Model& model, const MatchedSamples& matched, Tta tta) {
    ProgressLine line;
    const auto show = [&](std::size_t done, std::size_t total) {
        line.show("photos", static_cast<double>(done) / static_cast<double>(total));
    };
    return evaluate(model, matched.samples, show, tta);
}

// A row a size, each seeing the same share of the photos: where a network trained at one size is at its best (Touvron
// et al. 2019, https://arxiv.org/abs/1906.06423).
void print_sizes(Model model, const MatchedSamples& matched, const Options& options) {
    std::printf("size   top-1     top-5     cross-entropy  images/s\n");
    const PreprocessSpec own = model.bundle.preprocess;
    for (const int size : options.sizes) {
        model.bundle.preprocess = at_size(own, size);
        check_spec(model.bundle.preprocess);
        const Evaluation evaluation = evaluate_with_progress(model, matched, tta_of(options.tta));
        std::printf("%4d  %6.2f %%  %6.2f %%  %.4f         %.1f\n", size, 100 * evaluation.accuracy.top1,
                    100 * evaluation.accuracy.top5, evaluation.accuracy.cross_entropy, evaluation.images_per_second);
        std::fflush(stdout);
    }
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
    if (!options.report.empty()) make_report_folder(options.report);
    if (!options.sizes.empty()) return print_sizes(model, matched, options);
    const Evaluation evaluation = evaluate_with_progress(model, matched, tta_of(options.tta));
    for (const PhotoFailure& failure : evaluation.failures) {
        std::fprintf(stderr, "left out: %s: %s\n", matched.samples[failure.sample].path.c_str(), failure.cause.c_str());
    }
    const Report report = make_report(evaluation, model.bundle.classes.size());
    if (!options.report.empty()) write_report(options.report, model.bundle, matched, evaluation, report);
    if (options.json) print_json(model.bundle, evaluation, report, matched);
    else print(model.bundle, evaluation, report);
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
    command
        ->add_option("--tta", options->tta,
                     "test-time augmentation: the mean answer to several views of each photo (flip: 2, five_crop, "
                     "ten_crop)")
        ->check(CLI::IsMember(std::vector<std::string>(tta_names.begin(), tta_names.end())))
        ->capture_default_str();
    command->add_option("--report", options->report,
                        "a folder for the measures of every class, the confusion matrix and the mistakes");
    command
        ->add_option("--sizes", options->sizes,
                     "a table over these sizes in pixels instead, as 192,224,256; the network must take them")
        ->delimiter(',');
    command->add_flag("--json", options->json, "one JSON object instead of text");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
