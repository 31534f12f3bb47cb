// A run's model on its test photos.
#include <cmath>
#include <exception>

#include "native/dashboard/work/work.hpp"
#include "native/evaluate/report.hpp"
#include "native/train/recipe.hpp"
#include "native/train/training_data.hpp"

namespace ouaf::dashboard {
namespace {

std::vector<ClassShare> likeliest(const Bundle& bundle, const at::Tensor& logits, double temperature) {
    Bundle as_tested = bundle;
    as_tested.temperature = temperature;
    const at::Tensor row = logits.contiguous();
    const std::span<const float> values(row.const_data_ptr<float>(), static_cast<std::size_t>(row.numel()));
    std::vector<ClassShare> top;
    for (const Prediction& prediction : rank(as_tested, values, 5))
        top.push_back({prediction.index, prediction.probability});
    return top;
}

std::shared_ptr<Mistakes> mistakes_of(const Bundle& bundle, const MatchedSamples& matched,
                                      const Evaluation& evaluation) {
    const std::size_t classes = bundle.classes.size();
    const Report report = make_report(evaluation, classes);
    auto mistakes = std::make_shared<Mistakes>();
    for (const ClassLabel& label : bundle.classes) mistakes->classes.push_back(label.name.at("en"));
    mistakes->top1 = evaluation.accuracy.top1;
    mistakes->top5 = evaluation.accuracy.top5;
    mistakes->cross_entropy = evaluation.accuracy.cross_entropy;
    mistakes->confusion = report.confusion.counts;
    for (const ClassMeasure& row : report.classes)
        mistakes->rows.push_back({row.support, row.predicted, row.precision, row.recall, row.f1});
    for (const LookAlike& pair : report.look_alikes)
        mistakes->pairs.push_back({pair.first, pair.second, pair.first_as_second, pair.second_as_first});
    const auto add = [&](std::size_t row, double loss, double label_probability) {
        TestedPhoto photo;
        photo.path = matched.samples[evaluation.samples[row]].path;
        photo.label = static_cast<std::size_t>(evaluation.labels[row]);
        photo.top = likeliest(bundle, evaluation.logits[static_cast<std::int64_t>(row)], evaluation.temperature);
        photo.predicted = photo.top.at(0).label;
        photo.loss = loss;
        photo.label_probability = label_probability;
        mistakes->photos.push_back(std::move(photo));
    };
    std::vector<bool> wrong(evaluation.labels.size());
    for (const Mistake& mistake : report.mistakes) {
        add(mistake.row, mistake.loss, mistake.label_probability);
        wrong[mistake.row] = true;
    }
    for (std::size_t row = 0; row < wrong.size(); ++row) {  // right answers, for the diagonal's cells
        if (wrong[row]) continue;
        add(row, 0, 0);
        TestedPhoto& photo = mistakes->photos.back();
        photo.label_probability = photo.top.front().probability;
        photo.loss = -std::log(photo.label_probability);
    }
    for (const PhotoFailure& failure : evaluation.failures)
        mistakes->unreadable.push_back(matched.samples[failure.sample].path.string() + ": " + failure.cause);
    return mistakes;
}

}  // namespace

void evaluate_run(const std::filesystem::path& run, const Work& work) {
    Status status{.state = State::evaluating, .stage = "reading the model", .folder = run};
    try {
        const Recipe recipe = read_recipe(run / "recipe.toml");
        const Model model = load_model(run / "model");
        const TrainingData data = open_training_data(recipe, run / "split.csv");
        if (!data.photos)
            throw std::runtime_error(
                recipe.data.root.string() +
                ": these pictures are one file, not photos; their mistakes are in 'ouaf evaluate'");
        const MatchedSamples matched = match_classes(data.photos->test, model.bundle);
        const Evaluation evaluation = evaluate(model, matched.samples, [&](std::size_t done, std::size_t total) {
            if (work.stop) throw Stopped();
            status.stage = "testing photos, " + std::to_string(done) + " of " + std::to_string(total);
            status.share = static_cast<double>(done) / static_cast<double>(total);
            work.post(status);
        });
        const std::shared_ptr<Mistakes> mistakes = mistakes_of(model.bundle, matched, evaluation);
        mistakes->run = run;
        work.post(std::shared_ptr<const Mistakes>(mistakes));
        work.post(Status{.state = State::idle, .stage = "tested", .folder = run});
    } catch (const Stopped&) {
        work.post(Status{.state = State::stopped, .stage = "the test was given up", .folder = run});
    } catch (const std::exception& error) {
        work.post(Status{.state = State::failed, .folder = run, .error = error.what()});
    }
}

}  // namespace ouaf::dashboard
