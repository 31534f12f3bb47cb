// A run's model on its test photos.
#include <exception>

#include "native/dashboard/test_report.hpp"
#include "native/dashboard/work/work.hpp"
#include "native/evaluate/report.hpp"
#include "native/train/recipe.hpp"
#include "native/train/run_directory.hpp"
#include "native/train/training_data.hpp"

namespace ouaf::dashboard {

void evaluate_run(const std::filesystem::path& run, const Work& work) {
    Status status{.state = State::evaluating, .stage = "reading the model", .folder = run};
    try {
        const Recipe recipe = read_recipe(run / "recipe.toml");
        const Model model = load_model(run / "model");
        const TrainingData data = open_training_data(recipe, run / "split.csv");
        if (!data.photos)
            throw std::runtime_error(recipe.data.root.string() +
                                     ": these pictures are one file, not photos that could be shown");
        const MatchedSamples matched = match_classes(data.photos->test, model.bundle);
        const Evaluation evaluation = evaluate(model, matched.samples, [&](std::size_t done, std::size_t total) {
            if (work.stop) throw Stopped();
            status.stage = "testing photos, " + std::to_string(done) + " of " + std::to_string(total);
            status.share = static_cast<double>(done) / static_cast<double>(total);
            work.post(status);
        });
        const std::filesystem::path report = RunDirectory::of_another(run).report();
        std::filesystem::create_directories(report);
        write_report(report, model.bundle, matched, evaluation, make_report(evaluation, model.bundle.classes.size()));
        work.post(read_test_report(run));
        work.post(Status{.state = State::idle, .stage = "tested", .folder = run});
    } catch (const Stopped&) {
        work.post(Status{.state = State::stopped, .stage = "the test was given up", .folder = run});
    } catch (const std::exception& error) {
        work.post(Status{.state = State::failed, .folder = run, .error = error.what()});
    }
}

}  // namespace ouaf::dashboard
