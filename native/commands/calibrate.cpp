// ouaf calibrate: chooses from which answers on a bundle is sure, unsure, or sees none of its classes, and writes it
// into the bundle.
#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/evaluate/inference.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/evaluate/thresholds.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string model;
    std::string data;
    std::string list;
    std::vector<std::string> none;
    double right = 0.97;
};

// What the photos say of the network's answers.
struct Answers {
    std::vector<double> known;          // the largest logits of photos that are no `none`
    std::vector<double> none;           // of the others
    std::vector<double> probabilities;  // of the best class, of photos of the model's classes
    std::vector<bool> right;
};

Answers collect(const Model& model, const Dataset& data, const Options& options) {
    for (const std::string& name : options.none) {
        const auto named = [&](const DatasetClass& each) { return each.folder == name || each.name == name; };
        if (std::ranges::none_of(data.classes, named))
            throw std::runtime_error(options.data + ": there is no class '" + name +
                                     "'; give --none as a folder or the list has it");
    }
    std::map<std::filesystem::path, std::size_t> labels;  // the model's
    for (const Sample& sample : match_classes(data, model.bundle).samples) labels.emplace(sample.path, sample.label);
    ProgressLine line;
    const InferenceResult result = infer(
        model.graph, Output::logits, model.bundle.preprocess, data.samples, [&](std::size_t done, std::size_t total) {
            line.show("photos", static_cast<double>(done) / static_cast<double>(total));
        });
    Answers answers;
    for (std::size_t row = 0; row < result.samples.size(); ++row) {
        const Sample& sample = data.samples[result.samples[row]];
        const DatasetClass& label = data.classes[sample.label];
        const at::Tensor logits = result.rows[static_cast<std::int64_t>(row)].contiguous();
        const std::span values(logits.const_data_ptr<float>(), model.bundle.classes.size());
        const double largest = *std::ranges::max_element(values);
        const auto is_label = [&](const std::string& name) { return label.folder == name || label.name == name; };
        if (std::ranges::any_of(options.none, is_label)) {
            answers.none.push_back(largest);
            continue;
        }
        answers.known.push_back(largest);
        const auto known = labels.find(sample.path);
        if (known == labels.end()) continue;
        const Prediction best = rank(model.bundle, values, 1).at(0);
        answers.probabilities.push_back(best.probability);
        answers.right.push_back(best.index == known->second);
    }
    return answers;
}

void run(const Options& options) {
    Model model = load_model(options.model);
    const auto list = options.list.empty() ? std::nullopt : std::optional<std::filesystem::path>(options.list);
    const Answers answers = collect(model, open_evaluation_set(options.data, list), options);
    if (!answers.none.empty()) {
        const Division division = divide(answers.known, answers.none);
        std::printf("AUROC          %.4f: the largest logit of %s photos against %s of none of the classes\n",
                    area_under_roc(answers.known, answers.none), grouped(answers.known.size()).c_str(),
                    grouped(answers.none.size()).c_str());
        std::printf("none below     %.3f: keeps %.1f %%, lets %.1f %% of the others through\n", division.threshold,
                    100 * division.kept, 100 * division.let_through);
        model.bundle.none_below = division.threshold;
    }
    const Trust trust = trust_from(answers.probabilities, answers.right, options.right);
    std::printf("unsure below   %.3f: answers %.1f %% of %s photos for sure, %.1f %% of them rightly\n",
                trust.threshold, 100 * trust.answered, grouped(answers.probabilities.size()).c_str(),
                100 * trust.right);
    model.bundle.unsure_below = trust.threshold;
    save_model(options.model, std::move(model));
}

}  // namespace

void add_calibrate(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("calibrate", "Choose when a model is unsure or sees nothing it knows, and write it down");
    command->add_option("model", options->model, "a model bundle's folder")->required();
    command->add_option("--data", options->data, "labelled photos that the model was not trained on")->required();
    command->add_option("--list", options->list, "the photos to take, with paths relative to the data");
    command->add_option("--none", options->none,
                        "classes of the data that show none of what the model knows; photos of other classes that it "
                        "doesn't know count as near enough");
    command->add_option("--right", options->right, "the share of sure answers that is to be right")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
