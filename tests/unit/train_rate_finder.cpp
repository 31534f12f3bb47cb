// The learning-rate finder's arithmetic, against its formulas.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "native/train/rate_finder.hpp"

using namespace ouaf;

TEST_CASE("the rate grows by the same factor from 1e-7 to 10") {
    CHECK(rate_of_step(0, 81) == Approx(1e-7));
    CHECK(rate_of_step(10, 81) == Approx(1e-6));
    CHECK(rate_of_step(80, 81) == Approx(10));
}

TEST_CASE("losses are averaged, free of the average's start") {
    RateCurve curve;
    const std::vector<double> losses{3, 1, 4, 1, 5};
    for (const double loss : losses) CHECK(add_loss(curve, 1, loss));
    // The weighted mean with the weights 0.98 to the power of how long ago a loss was.
    for (std::size_t last = 0; last < losses.size(); ++last) {
        double sum = 0;
        double weights = 0;
        for (std::size_t i = 0; i <= last; ++i) {
            const double weight = std::pow(0.98, static_cast<double>(last - i));
            sum += weight * losses[i];
            weights += weight;
        }
        CHECK(curve.steps[last].smoothed == Approx(sum / weights).epsilon(1e-12));  // rounding alone
    }
}

TEST_CASE("a loss that runs away ends the search") {
    RateCurve curve;
    CHECK(add_loss(curve, 1, 1));
    CHECK(add_loss(curve, 1, 6.9));  // smoothed (0.98 + 6.9) / 1.98 = 3.98
    CHECK(!add_loss(curve, 1, 20));  // (0.98² + 0.98 · 6.9 + 20) / 2.94 = 9.4
    CHECK(curve.steps.size() == 3);
    CHECK(!add_loss(curve, 1, std::numeric_limits<double>::quiet_NaN()));
    CHECK(curve.steps.size() == 3);
}

TEST_CASE("the suggested rate is where the loss falls most") {
    std::vector<RateStep> steps;
    for (int step = 0; step < 100; ++step) {
        const double rate = rate_of_step(step, 100);
        steps.push_back({rate, 0, 1 / (1 + std::exp(2 * (std::log10(rate) + 3)))});  // steepest at 1e-3
    }
    const double one_step = std::pow(10, 8.0 / 99);
    REQUIRE(steepest_rate(steps));
    CHECK(*steepest_rate(steps) >= 1e-3 / one_step);
    CHECK(*steepest_rate(steps) <= 1e-3 * one_step);
    for (RateStep& step : steps) step.smoothed = step.rate;
    CHECK(!steepest_rate(steps));
    CHECK(!steepest_rate({}));
}
