// Thresholds against counting by hand.
#include "native/evaluate/thresholds.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace ouaf;

TEST_CASE("The area under the ROC curve is the share of pairs in the right order", "[evaluate]") {
    CHECK(area_under_roc(std::vector{2.0, 3.0}, std::vector{0.0, 1.0}) == 1);
    CHECK(area_under_roc(std::vector{0.0}, std::vector{0.0}) == 0.5);
    std::mt19937 random(5);
    std::vector<double> above(37);
    std::vector<double> below(23);
    for (double& value : above) value = static_cast<double>(random() % 12);
    for (double& value : below) value = static_cast<double>(random() % 9);
    double wins = 0;
    for (const double a : above)
        for (const double b : below) wins += a > b ? 1 : a == b ? 0.5 : 0;
    CHECK(area_under_roc(above, below) == Approx(wins / (37 * 23)).epsilon(1e-12));
}

TEST_CASE("Two sets are divided where most of one and least of the other is above", "[evaluate]") {
    const Division apart = divide(std::vector{5.0, 6.0}, std::vector{1.0, 2.0});
    CHECK(apart.threshold == 3.5);
    CHECK(apart.kept == 1);
    CHECK(apart.let_through == 0);
    // 2.5: 3 of 4 kept, 1 of 4 let through; 1.5 would keep all and let 3 through, 3.5 would keep half and let 1 through
    const Division mixed = divide(std::vector{2.0, 3.0, 5.0, 6.0}, std::vector{0.0, 2.0, 2.0, 4.0});
    CHECK(mixed.threshold == 2.5);
    CHECK(mixed.kept == 0.75);
    CHECK(mixed.let_through == 0.25);
}

TEST_CASE("Answers are trusted from the smallest probability that keeps them right", "[evaluate]") {
    const std::vector<double> odds{0.9, 0.2, 0.8, 0.5, 0.7};
    const std::vector<bool> right{true, false, true, true, false};
    // From the top: 1/1, 2/2, 2/3, 3/4, 3/5.
    const Trust all = trust_from(odds, right, 0.6);
    CHECK(all.threshold == 0);
    CHECK(all.right == Approx(0.6));
    const Trust most = trust_from(odds, right, 0.75);
    CHECK(most.threshold == 0.5);
    CHECK(most.answered == 0.8);
    CHECK(trust_from(odds, right, 1).threshold == 0.8);
    const Trust nothing = trust_from(std::vector{0.4, 0.4}, {false, true}, 0.9);  // equal ones stand or fall together
    CHECK(nothing.threshold > 0.4);
    CHECK(nothing.answered == 0);
}
