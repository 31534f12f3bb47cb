// Accuracy and cross-entropy, and the run over a data set that gives them.
#include "native/evaluate/metrics.hpp"

#include <ATen/ATen.h>

#include <map>
#include <stdexcept>
#include <utility>

namespace ouaf {

Accuracy measure(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature) {
    const auto count = static_cast<std::int64_t>(labels.size());
    const at::Tensor wanted = at::tensor(at::ArrayRef<std::int64_t>(labels.data(), labels.size())).unsqueeze(1);
    const at::Tensor scores = logits.to(at::kDouble) / temperature;
    // The place of the wanted class is how many come before it: equal ones in class order. What is no number comes
    // before any and is never right.
    const at::Tensor own = scores.gather(1, wanted);
    const at::Tensor later = at::arange(scores.size(1)).unsqueeze(0).ge(wanted);
    const at::Tensor behind = scores.lt(own).logical_or_(scores.eq(own).logical_and_(later));
    const at::Tensor place = behind.logical_not_().sum(1);
    Accuracy accuracy;
    accuracy.top1 = place.lt(1).sum().item<double>() / static_cast<double>(count);
    accuracy.top5 = place.lt(5).sum().item<double>() / static_cast<double>(count);
    accuracy.cross_entropy = -at::log_softmax(scores, 1).gather(1, wanted).mean().item<double>();
    return accuracy;
}

MatchedSamples match_classes(const Dataset& data, const Bundle& bundle) {
    std::map<std::string, std::size_t> labels;  // by id, then by name where no id says otherwise
    for (std::size_t i = 0; i < bundle.classes.size(); ++i) labels.emplace(bundle.classes[i].id, i);
    for (std::size_t i = 0; i < bundle.classes.size(); ++i) labels.emplace(bundle.classes[i].name.at("en"), i);

    std::vector<std::optional<std::size_t>> label_of;
    MatchedSamples matched;
    for (const DatasetClass& c : data.classes) {
        auto found = labels.find(c.id);
        if (found == labels.end()) found = labels.find(c.folder);
        if (found == labels.end()) found = labels.find(c.name);
        label_of.push_back(found == labels.end() ? std::nullopt : std::optional(found->second));
        if (found == labels.end()) matched.unknown_classes.push_back(c.folder);
    }
    for (const Sample& sample : data.samples) {
        if (const auto label = label_of[sample.label]) matched.samples.push_back({sample.path, *label});
        else ++matched.left_out;
    }
    if (matched.samples.empty()) {
        throw std::runtime_error(data.root.string() + ": none of its classes (such as '" + data.classes.front().folder +
                                 "') is one of the model's (such as '" + bundle.classes.front().id +
                                 "'); give the data set that goes with the model");
    }
    return matched;
}

Evaluation evaluate(const Model& model, std::span<const Sample> samples, const Progress& progress, Tta tta) {
    const Bundle& bundle = model.bundle;
    InferenceResult result =
        tta == Tta::none ? infer(model.graph, Output::logits, bundle.preprocess, samples, progress)
                         : infer_views(model.graph, bundle.preprocess, tta, bundle.temperature, samples, progress);
    if (result.samples.empty()) {
        throw std::runtime_error(samples.front().path.string() + ": " + result.failures.front().cause +
                                 " No photo could be read.");
    }
    const at::Tensor finite = at::isfinite(result.rows).all(1);
    if (!finite.all().item<bool>()) {
        const auto row = static_cast<std::size_t>(finite.to(at::kInt).argmin().item<std::int64_t>());
        throw std::runtime_error(samples[result.samples[row]].path.string() +
                                 ": the network's answer is not a finite number; its weights are broken");
    }
    Evaluation evaluation;
    evaluation.tta = tta;
    evaluation.photos = result.samples.size();
    evaluation.logits = std::move(result.rows);
    evaluation.temperature = tta == Tta::none ? bundle.temperature : 1;
    for (const std::size_t sample : result.samples)
        evaluation.labels.push_back(static_cast<std::int64_t>(samples[sample].label));
    evaluation.samples = std::move(result.samples);
    evaluation.accuracy = measure(evaluation.logits, evaluation.labels, evaluation.temperature);
    evaluation.images_per_second = static_cast<double>(samples.size()) / result.seconds;
    evaluation.failures = std::move(result.failures);
    return evaluation;
}

}  // namespace ouaf
