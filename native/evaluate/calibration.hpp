// Whether a model is as often right as it says, and the temperature that makes it so (Guo et al. 2017, "On Calibration
// of Modern Neural Networks", https://arxiv.org/abs/1706.04599).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ouaf {

// The samples whose confidence, the probability of the class answered, lies in one interval.
struct CalibrationBin {
    std::size_t count = 0;
    double confidence = 0;  // mean; 0 in an empty bin
    double accuracy = 0;    // share that is right
};

struct Calibration {
    double expected_error = 0;  // ECE: |accuracy - confidence| averaged over the samples, by bins
    double by_chance = 0;  // its mean were each answer right with just the probability that it has: what is left of
                           // it on so few samples where a model is calibrated
    std::vector<CalibrationBin> bins;
};

constexpr std::size_t calibration_bins = 15;  // as in the paper; bin m is ((m - 1) / 15, m / 15]

// Of logits [n, classes], divided by the temperature before the softmax, against n labels.
Calibration measure_calibration(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature);

constexpr double least_temperature = 0.01;
constexpr double most_temperature = 100;

// The temperature with the smallest mean cross-entropy, from least_temperature to most_temperature. Where every answer
// is right none is small enough, and where they are worse than chance none is large enough: then it is that bound.
// Equal logits keep 1. The cross-entropy is convex in 1 / temperature, so there is one minimum: Newton's steps on the
// derivative, bisection where a step leaves the interval that holds its root.
double fit_temperature(const at::Tensor& logits, std::span<const std::int64_t> labels);

}  // namespace ouaf
