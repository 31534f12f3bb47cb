// Learning rates over a run and losses, against their formulas.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "native/train/loss.hpp"
#include "native/train/schedule.hpp"

using namespace ouaf;

TEST_CASE("schedules start, turn and end where their papers say") {
    const auto at = [](ScheduleRecipe recipe, double epoch) {
        return Approx(rate_at(recipe, epoch, 10)).epsilon(1e-9);
    };
    CHECK(1 == at({}, 7));
    CHECK(0.5 == at({.warm_up = 2}, 1));
    CHECK(0.01 == at({.kind = ScheduleKind::step, .every = 4}, 9));
    CHECK(0.729 == at({.kind = ScheduleKind::exponential, .factor = 0.9}, 3.5));
    CHECK(0.5 == at({.kind = ScheduleKind::cosine}, 5));
    CHECK(0.55 == at({.kind = ScheduleKind::cosine, .warm_up = 2, .least = 0.1}, 6));
    // torch.optim.lr_scheduler.OneCycleLR with its defaults: 1/25 at the start, 1 at 0.3, 1/250,000 at the end.
    CHECK(0.04 == at({.kind = ScheduleKind::one_cycle}, 0));
    CHECK(1 == at({.kind = ScheduleKind::one_cycle}, 3));
    CHECK(0.5 * (1 + 4e-6) == at({.kind = ScheduleKind::one_cycle}, 6.5));
    CHECK(4e-6 == at({.kind = ScheduleKind::one_cycle}, 10));
}

TEST_CASE("the learning rate falls where the loss stays") {
    Plateau plateau;
    for (const double loss : {1.0, 0.9, 0.9, 0.95}) plateau.watch(loss, 1, 0.1, 0.05);
    CHECK(plateau.rate == Approx(0.1));
    for (const double loss : {0.9, 0.9}) plateau.watch(loss, 1, 0.1, 0.05);
    CHECK(plateau.rate == Approx(0.05));
}

TEST_CASE("losses are what their formulas say") {
    const at::Tensor logits = at::tensor({1.0f, -2.0f, 0.5f, 0.0f, 3.0f, -1.0f}).reshape({2, 3});
    const at::Tensor targets = soft_targets(at::tensor({2, 1}, at::kLong), 3, {.label_smoothing = 0.3});
    double cross_entropy = 0;
    double binary = 0;
    double squares = 0;
    for (int row = 0; row < 2; ++row) {
        double sum = 0;
        for (int c = 0; c < 3; ++c) sum += std::exp(logits[row][c].item<double>());
        for (int c = 0; c < 3; ++c) {
            const double wanted = (c == (row == 0 ? 2 : 1) ? 0.7 : 0) + 0.1;
            CHECK(targets[row][c].item<double>() == Approx(wanted));
            const auto z = logits[row][c].item<double>();
            const double share = std::exp(z) / sum;
            const double yes = 1 / (1 + std::exp(-z));
            cross_entropy -= wanted * std::log(share) / 2;
            binary -= (wanted * std::log(yes) + (1 - wanted) * std::log(1 - yes)) / 6;
            squares += (share - wanted) * (share - wanted) / 6;
        }
    }
    CHECK(loss_of(logits, targets, LossKind::cross_entropy).item<double>() == Approx(cross_entropy));
    CHECK(loss_of(logits, targets, LossKind::binary_cross_entropy).item<double>() == Approx(binary));
    CHECK(loss_of(logits, targets, LossKind::mean_squared_error).item<double>() == Approx(squares));
}
