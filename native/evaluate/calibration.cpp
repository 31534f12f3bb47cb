// Bins of confidence, and one root of one derivative.
#include "native/evaluate/calibration.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace ouaf {
namespace {

at::Tensor to_tensor(std::span<const std::int64_t> labels) {
    return at::tensor(at::ArrayRef<std::int64_t>(labels.data(), labels.size()));
}

// Derivatives of the mean cross-entropy by the inverse temperature.
struct Derivatives {
    double first = 0;
    double second = 0;
};

// `logits` [n, classes] with rows whose greatest is 0, `wanted` [n, 1] the labels' own: float64.
Derivatives derive(const at::Tensor& logits, const at::Tensor& wanted, double inverse) {
    const at::Tensor odds = at::softmax(logits * inverse, 1);
    const at::Tensor mean = (odds * logits).sum(1, true);
    const at::Tensor variance = (odds * (logits - mean).square()).sum(1);
    return {(mean - wanted).mean().item<double>(), variance.mean().item<double>()};
}

// The mean of |hits - sum of the probabilities| where each sample is a hit with its own probability, exactly: the
// distribution of hits (Poisson's binomial) one sample after the other.
double mean_deviation(std::span<const double> probabilities) {
    std::vector<double> odds(probabilities.size() + 1);
    odds[0] = 1;
    double mean = 0;
    for (std::size_t n = 0; n < probabilities.size(); ++n) {
        const double p = probabilities[n];
        mean += p;
        for (std::size_t hits = n + 1; hits > 0; --hits) odds[hits] = odds[hits] * (1 - p) + odds[hits - 1] * p;
        odds[0] *= 1 - p;
    }
    double deviation = 0;
    for (std::size_t hits = 0; hits < odds.size(); ++hits)
        deviation += odds[hits] * std::abs(static_cast<double>(hits) - mean);
    return deviation;
}

}  // namespace

Calibration measure_calibration(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature) {
    const auto [confidences, answers] = at::softmax(logits.to(at::kDouble) / temperature, 1).max(1);
    const at::Tensor hits = answers.eq(to_tensor(labels)).contiguous();
    const at::Tensor confidence = confidences.contiguous();
    Calibration calibration{0, 0, std::vector<CalibrationBin>(calibration_bins)};
    std::vector<std::vector<double>> members(calibration_bins);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const double value = confidence.const_data_ptr<double>()[i];
        const double place = std::ceil(value * static_cast<double>(calibration_bins)) - 1;
        const double last = static_cast<double>(calibration_bins) - 1;
        const auto index = static_cast<std::size_t>(std::clamp(place, 0.0, last));
        CalibrationBin& bin = calibration.bins[index];
        members[index].push_back(value);
        ++bin.count;
        bin.confidence += value;
        bin.accuracy += hits.const_data_ptr<bool>()[i] ? 1 : 0;
    }
    for (CalibrationBin& bin : calibration.bins) {
        if (bin.count == 0) continue;
        calibration.expected_error += std::abs(bin.accuracy - bin.confidence) / static_cast<double>(labels.size());
        bin.confidence /= static_cast<double>(bin.count);
        bin.accuracy /= static_cast<double>(bin.count);
    }
    for (const std::vector<double>& bin : members)
        calibration.by_chance += mean_deviation(bin) / static_cast<double>(labels.size());
    return calibration;
}

double fit_temperature(const at::Tensor& logits, std::span<const std::int64_t> labels) {
    const at::Tensor scores = logits.to(at::kDouble);
    const at::Tensor shifted = scores - scores.amax(1, true);  // the same softmax, and no exponential overflows
    const at::Tensor wanted = shifted.gather(1, to_tensor(labels).unsqueeze(1));
    double low = 1 / most_temperature;
    double high = 1 / least_temperature;
    const double at_high = derive(shifted, wanted, high).first;
    const double at_low = derive(shifted, wanted, low).first;
    if (at_low == 0 && at_high == 0) return 1;
    if (at_high <= 0) return least_temperature;
    if (at_low >= 0) return most_temperature;
    constexpr double precise = 1e-10;  // relative; far below what finitely many samples can tell
    double inverse = 1;
    while (high - low > precise * low) {
        const Derivatives now = derive(shifted, wanted, inverse);
        (now.first > 0 ? high : low) = inverse;
        const double step = now.second > 0 ? now.first / now.second : inverse;
        double next = inverse - step;
        if (!(next > low && next < high)) next = std::sqrt(low * high);
        const bool arrived = std::abs(next - inverse) <= precise * inverse;
        inverse = next;
        if (arrived) break;
    }
    return 1 / inverse;
}

}  // namespace ouaf
