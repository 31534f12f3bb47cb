// From logits to an answer: softmax, the best classes, and their printable form.
#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "shared/bundle/bundle.hpp"

namespace ouaf {

std::vector<double> probabilities(const Bundle& bundle, std::span<const float> logits) {
    std::vector<double> result(logits.begin(), logits.end());
    if (result.empty()) return result;
    const double highest = *std::max_element(result.begin(), result.end());
    double sum = 0;
    for (double& value : result) sum += value = std::exp((value - highest) / bundle.temperature);
    for (double& value : result) value /= sum;
    return result;
}

std::vector<Prediction> rank(const Bundle& bundle, std::span<const float> logits, std::size_t top) {
    const std::vector<double> all = probabilities(bundle, logits);
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < all.size(); ++i) predictions.push_back({i, all[i]});
    const auto better = [](const Prediction& a, const Prediction& b) { return a.probability > b.probability; };
    std::stable_sort(predictions.begin(), predictions.end(), better);
    if (predictions.size() > top) predictions.resize(top);
    return predictions;
}

Answer answer(const Bundle& bundle, std::span<const float> logits, std::size_t top) {
    Answer answer{Verdict::sure, rank(bundle, logits, std::max<std::size_t>(top, 1))};
    if (answer.predictions.empty()) return answer;
    const Prediction best = answer.predictions.front();
    if (bundle.none_below && logits[best.index] < *bundle.none_below) answer.verdict = Verdict::none;
    else if (best.probability < bundle.unsure_below) answer.verdict = Verdict::unsure;
    answer.predictions.resize(std::min(top, answer.predictions.size()));
    return answer;
}

nlohmann::ordered_json to_json(const Bundle& bundle, const Answer& answer) {
    constexpr std::array names{"sure", "unsure", "none"};
    auto list = nlohmann::ordered_json::array();
    for (const Prediction& prediction : answer.predictions) {
        const ClassLabel& label = bundle.classes.at(prediction.index);
        list.push_back({{"id", label.id}, {"name", label.name.at("en")}, {"probability", prediction.probability}});
    }
    return {{"verdict", names.at(static_cast<std::size_t>(answer.verdict))}, {"predictions", list}};
}

}  // namespace ouaf
