// Curves thinned to what pixels can show, and smoothed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "native/dashboard/curve.hpp"

using namespace ouaf::dashboard;

namespace {

Curve noisy(std::size_t points) {
    std::mt19937 chance(1);
    std::normal_distribution<double> noise;
    Curve curve;
    for (std::size_t i = 0; i < points; ++i) {
        curve.x.push_back(static_cast<double>(i));
        curve.y.push_back(noise(chance));
    }
    return curve;
}

// What a column of pixels shows of a curve: the range of its points.
std::pair<double, double> range_in(const Curve& curve, double low, double high) {
    std::pair<double, double> range{std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()};
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
        if (curve.x[i] < low || curve.x[i] >= high) continue;
        range.first = std::min(range.first, curve.y[i]);
        range.second = std::max(range.second, curve.y[i]);
    }
    return range;
}

}  // namespace

TEST_CASE("A thinned curve has few points, and every column of pixels the range that it had") {
    const Curve curve = noisy(1'000'000);
    constexpr std::size_t columns = 700;
    const double low = 123.4;
    const double high = 987'654.3;
    const Curve thinned = thin(curve, low, high, columns);
    REQUIRE(thinned.x.size() <= 4 * columns + 2);
    REQUIRE(std::is_sorted(thinned.x.begin(), thinned.x.end()));
    for (std::size_t column = 0; column < columns; ++column) {
        const double width = (high - low) / columns;
        const double left = low + static_cast<double>(column) * width;
        REQUIRE(range_in(thinned, left, left + width) == range_in(curve, left, left + width));
    }
}

TEST_CASE("A curve of fewer points than pixels is drawn as it is, with its neighbours out of sight") {
    const Curve curve = noisy(10);
    REQUIRE(thin(curve, -1, 20, 500).y == curve.y);
    const Curve part = thin(curve, 2.5, 4.5, 500);
    REQUIRE(part.x == std::vector<double>{2, 3, 4, 5});
    REQUIRE(thin({}, 0, 1, 10).x.empty());
    REQUIRE(thin(curve, 5, 5, 10).x == std::vector<double>{4, 5, 6});
}

TEST_CASE("Smoothing keeps what is constant and halves a jump where half is kept") {
    for (const double value : smooth(std::vector<double>{3, 3, 3}, 0.9)) REQUIRE(value == Approx(3));
    const std::vector<double> jump = smooth(std::vector<double>{0, 1}, 0.5);
    REQUIRE(jump[0] == 0);
    REQUIRE(jump[1] == Approx(2.0 / 3));  // weights 1/4 and 1/2, of 3/4
}

TEST_CASE("Where a run went back, the curve forgets what was beyond; what is no number is left out") {
    const double none = std::nan("");
    const Curve curve = curve_of(std::vector<double>{1, 2, 3, 2, none, 4}, std::vector<double>{1, 2, 3, 20, 5, none});
    REQUIRE(curve.x == std::vector<double>{1, 2, 2});
    REQUIRE(curve.y == std::vector<double>{1, 2, 20});
    REQUIRE(nearest(curve, 1.4) == 0);
    REQUIRE(nearest(curve, 9) == 2);
}
