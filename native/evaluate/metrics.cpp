// Accuracy and cross-entropy, and the run over a data set that gives them.
#include "native/evaluate/metrics.hpp"

#include <ATen/ATen.h>

#include <map>
#include <stdexcept>

namespace ouaf {

Accuracy measure(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature) {
    const auto count = static_cast<std::int64_t>(labels.size());
    const at::Tensor wanted = at::tensor(at::ArrayRef<std::int64_t>(labels.data(), labels.size())).unsqueeze(1);
    const at::Tensor scores = logits.to(at::kDouble) / temperature;
    const std::int64_t places = std::min<std::int64_t>(5, scores.size(1));
    const at::Tensor hits = std::get<1>(scores.topk(places, 1)).eq(wanted);
    Accuracy accuracy;
    accuracy.top1 = hits.select(1, 0).sum().item<double>() / static_cast<double>(count);
    accuracy.top5 = hits.sum().item<double>() / static_cast<double>(count);
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

Evaluation evaluate(const Model& model, std::span<const Sample> samples, const Progress& progress) {
    InferenceResult result = infer(model.graph, Output::logits, model.bundle.preprocess, samples, progress);
    if (result.samples.empty()) {
        throw std::runtime_error(samples.front().path.string() + ": " + result.failures.front().cause +
                                 " No photo could be read.");
    }
    std::vector<std::int64_t> labels;
    for (const std::size_t sample : result.samples) labels.push_back(static_cast<std::int64_t>(samples[sample].label));
    return {labels.size(), measure(result.rows, labels, model.bundle.temperature),
            static_cast<double>(samples.size()) / result.seconds, std::move(result.failures)};
}

}  // namespace ouaf
