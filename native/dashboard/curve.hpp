// A curve of any length, made ready to draw: smoothed, and thinned to what its pixels can show.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ouaf::dashboard {

struct Curve {
    std::vector<double> x;  // ascending
    std::vector<double> y;
};

// Pairs of which both are numbers. Where x goes back, as after a loss that was no number, what was beyond is forgotten.
Curve curve_of(std::span<const double> x, std::span<const double> y);

// The exponential mean that TensorBoard draws: of so much of what was before (0 to 1), corrected for its start.
std::vector<double> smooth(std::span<const double> values, double weight);

// The points that a line between `low` and `high` is drawn by, on so many columns of pixels: of each column the first,
// the lowest, the highest and the last (M4, Jugel et al. 2014, https://doi.org/10.14778/2732951.2732953), and the
// nearest point on both sides of what is seen. At most 4 * columns + 2 points.
Curve thin(const Curve& curve, double low, double high, std::size_t columns);

// The place of the point nearest to x; the curve has points.
std::size_t nearest(const Curve& curve, double x);

}  // namespace ouaf::dashboard
