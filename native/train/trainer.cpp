// The stages of a head-only run, in order.
#include "native/train/trainer.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "native/bundle/model.hpp"
#include "native/evaluate/inference.hpp"
#include "native/evaluate/report.hpp"
#include "native/graph/classifier_form.hpp"
#include "native/graph/quantise.hpp"
#include "native/graph/rounding.hpp"
#include "native/train/head_trainer.hpp"
#include "native/train/run_directory.hpp"
#include "native/train/starting_network.hpp"
#include "native/train/test_report.hpp"
#include "native/train/training_data.hpp"

namespace ouaf {
namespace {

// How much of the run the photos of all stages make up so far; fitting the head takes no time beside them.
class RunShare {
 public:
    RunShare(const TrainingReport& report, std::size_t photos) : report_(report), photos_(photos) {}

    Progress stage(std::string name) {
        const std::size_t before = finished_;
        return [this, before, name](std::size_t done, std::size_t) {
            finished_ = before + done;
            now(name);
        };
    }
    void now(std::string_view name) const {
        report_.progress(name, static_cast<double>(finished_) / static_cast<double>(photos_));
    }

 private:
    const TrainingReport& report_;
    std::size_t photos_;
    std::size_t finished_ = 0;
};

// Nothing is chosen by validation here: photos are set apart for it only where the recipe or the data set says which.
std::pair<Dataset, Dataset> open_photos(DataRecipe recipe) {
    recipe.validation = 0;
    Partition parts = open_partition(recipe);
    if (parts.test.samples.empty())
        throw std::runtime_error(recipe.root.string() +
                                 ": no photos are left for the test; add some, or give 'split' a share for it");
    return {std::move(parts.train), std::move(parts.test)};
}

// A backbone of 8 bits is int8 already; only the head is new.
void store_as_int8(Model& model, const std::vector<Sample>& training, double bits) {
    if (bits == 8) graph::quantise_weights(model.graph);
    else
        model.graph = graph::export_rounded(
            model.graph, prepared_photos(model.bundle.preprocess, training, graph::rounding_images), bits);
}

}  // namespace

TrainingResult train(const Recipe& recipe, const std::filesystem::path& folder, const TrainingReport& report) {
    Model model = load_model(recipe.backbones.at(0));
    // The head is fitted on what the backbone saw of a photo: its rows are a little better so wherever they are used
    // than those that are fitted on more of the border (bench/head_views.py).
    const PreprocessSpec fitted_on = model.bundle.preprocess;
    model.bundle.preprocess = seen_by(recipe, fitted_on);
    const auto [training, test] = open_photos(recipe.data);
    const std::vector<ClassLabel> backbone_classes =
        std::exchange(model.bundle.classes, labels_of(training.classes, model.bundle.classes));
    const std::vector<Sample> test_samples = match_classes(test, model.bundle).samples;
    graph::to_classifier_form(model.graph);
    RunDirectory run(folder, recipe);

    TrainingResult result;
    result.model = run.model();
    const HeadStart start = start_head(graph::head_rows(model.graph), backbone_classes, model.bundle.classes);
    result.classes = start.known.size();
    result.known_classes = static_cast<std::size_t>(std::count(start.known.begin(), start.known.end(), true));
    run.record({{"event", "start"},
                {"training_photos", training.samples.size()},
                {"test_photos", test_samples.size()},
                {"classes", result.classes},
                {"known_classes", result.known_classes}});

    RunShare share(report, training.samples.size() + 2 * test_samples.size());
    InferenceResult features = infer(model.graph, Output::features, fitted_on, training.samples,
                                     share.stage("features of the training photos"));
    refuse_unreadable(features.failures, training, recipe.unreadable);
    std::vector<std::int64_t> labels;
    for (const std::size_t sample : features.samples)
        labels.push_back(static_cast<std::int64_t>(training.samples[sample].label));
    result.training_photos = labels.size();
    result.failures = std::move(features.failures);

    const graph::HeadRows rows = fit_head(features.rows, labels, start, recipe.head, [&](int iteration, double loss) {
        result.training_cross_entropy = loss;
        run.record({{"event", "iteration"}, {"iteration", iteration}, {"loss", loss}});
        share.now("fitting the head");
    });
    graph::replace_head(model.graph, rows);

    result.float32 = evaluate(model, test_samples, share.stage("test, float32 weights"));
    run.record(test_event("float32", static_cast<std::int64_t>(result.float32.photos), result.float32.accuracy));
    store_as_int8(model, training.samples, recipe.weight_bits);
    result.int8 = evaluate(model, test_samples, share.stage("test, int8 weights"));
    const auto test_photos = static_cast<std::int64_t>(result.int8.photos);
    run.record(test_event("int8", test_photos, result.int8.accuracy));

    model.bundle.name = recipe.name;
    model.bundle.version = "1.0.0";
    model.bundle.metrics = test_metrics(test_photos, result.int8.accuracy, result.float32.accuracy);
    std::filesystem::create_directory(run.report());
    write_report(run.report(), model.bundle, {test_samples, 0, {}}, result.int8,
                 make_report(result.int8, result.classes));
    save_model(run.model(), std::move(model));
    run.record({{"event", "exported"}, {"model", run.model().string()}});
    return result;
}

}  // namespace ouaf
