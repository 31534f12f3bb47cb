// The learning-rate range test of Smith 2017, "Cyclical Learning Rates for Training Neural Networks",
// https://arxiv.org/abs/1506.01186: the rate grows from step to step, and the loss says where it is worth starting.
//
//     const RateCurve curve = find_rate(network, training, form, stage, stop);
//     curve.suggested;   // such as 3e-3
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "native/data/pictures.hpp"
#include "native/graph/network.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

struct RateStep {
    double rate = 0;
    double loss = 0;      // of the batch, before the step
    double smoothed = 0;  // exponential average of the losses, 0.98 of it kept each step, freed of its start at 0
};

struct RateCurve {
    std::vector<RateStep> steps;
    std::optional<double> suggested;  // nothing where the loss falls nowhere
};

// The rate of step `step` of `steps`: from 1e-7 to 10, by the same factor each time.
double rate_of_step(int step, int steps);

// Adds a step. False where it was the last: its smoothed loss is above four times the smallest one, or is no number and
// is left out. Smoothing and end are those of fastai's learning-rate finder.
bool add_loss(RateCurve& curve, double rate, double loss);

// The rate from which the smoothed loss falls most over the rate's logarithm, leaving out the first tenth, in which the
// average has seen few losses, and the last five steps, in which it runs away.
std::optional<double> steepest_rate(const std::vector<RateStep>& steps);

// Trains `network`, which is of no use afterwards, with the stage's batches, changes, loss and optimizer, for one
// epoch or 200 steps, whichever is shorter, or until the loss runs away or `stop` is set. Throws std::runtime_error
// where an epoch has too few steps to see anything.
RateCurve find_rate(graph::Network& network, const Pictures& training, const PictureForm& form, const Stage& stage,
                    const std::atomic<bool>& stop);

}  // namespace ouaf
