// See rate_finder.hpp.
#include "native/train/rate_finder.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "native/train/batch.hpp"
#include "native/train/fit.hpp"
#include "native/train/loss_scale.hpp"

namespace ouaf {
namespace {

constexpr double smallest_rate = 1e-7;
constexpr double largest_rate = 10;
constexpr int most_steps = 200;
constexpr int least_steps = 20;

}  // namespace

double rate_of_step(int step, int steps) {
    return smallest_rate * std::pow(largest_rate / smallest_rate, static_cast<double>(step) / (steps - 1));
}

bool add_loss(RateCurve& curve, double rate, double loss) {
    constexpr double kept = 0.98;
    constexpr double runs_away = 4;
    if (!std::isfinite(loss)) return false;
    const auto count = static_cast<double>(curve.steps.size());
    const double before = curve.steps.empty() ? 0 : curve.steps.back().smoothed * (1 - std::pow(kept, count));
    const double smoothed = (kept * before + (1 - kept) * loss) / (1 - std::pow(kept, count + 1));
    curve.steps.push_back({rate, loss, smoothed});
    const auto best = std::min_element(curve.steps.begin(), curve.steps.end(),
                                       [](const RateStep& a, const RateStep& b) { return a.smoothed < b.smoothed; });
    return smoothed <= runs_away * best->smoothed;
}

std::optional<double> steepest_rate(const std::vector<RateStep>& steps) {
    std::optional<double> suggested;
    double steepest = 0;
    for (std::size_t i = steps.size() / 10; i + 6 < steps.size(); ++i) {
        const double slope = (steps[i + 1].smoothed - steps[i].smoothed) / std::log(steps[i + 1].rate / steps[i].rate);
        if (slope >= steepest) continue;
        steepest = slope;
        suggested = steps[i].rate;
    }
    return suggested;
}

RateCurve find_rate(graph::Network& network, const Pictures& training, const PictureForm& form, const Stage& stage,
                    const std::atomic<bool>& stop) {
    const FitRecipe& recipe = stage.fit;
    const std::int64_t batches = (training.count() + recipe.batch - 1) / recipe.batch;
    const int steps = static_cast<int>(std::min<std::int64_t>(batches, most_steps));
    if (steps < least_steps)
        throw std::runtime_error("the recipe's epoch has " + std::to_string(steps) +
                                 " steps, too few to see how the loss falls; make train.batch smaller, so that there "
                                 "are 20 or more");
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_current_seed(recipe.seed);
    const std::vector<ParameterGroup> groups = group_parameters(network, recipe);
    Optimizer optimizer(recipe.optimizer, groups);
    network.mode.training = true;
    network.mode.autocast = autocast_type(recipe);
    LossScale scale;
    const at::Tensor order = at::randperm(training.count(), generator);
    RateCurve curve;
    for (int step = 0; step < steps && !stop; ++step) {
        const std::int64_t first = std::int64_t{step} * recipe.batch;
        const at::Tensor rows = order.slice(0, first, std::min(first + recipe.batch, training.count()));
        const Batch batch = training_batch(training, rows, stage, form, generator, groups[0].parameters[0].device());
        const at::Tensor loss = loss_of(network.forward(batch.images), batch.targets, recipe.loss.kind);
        const double rate = rate_of_step(step, steps);
        if (!add_loss(curve, rate, loss.item<double>())) break;
        (recipe.float16 ? loss * scale.factor : loss).backward();
        const bool finite = !recipe.float16 || unscale_gradients(groups, scale.factor);
        scale.watch(finite);
        if (recipe.clip > 0) clip_gradients(groups, recipe.clip);
        if (finite) optimizer.step(rate);
        optimizer.clear_gradients();
    }
    curve.suggested = steepest_rate(curve.steps);
    return curve;
}

}  // namespace ouaf
