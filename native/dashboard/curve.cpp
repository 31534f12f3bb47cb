// See curve.hpp.
#include "native/dashboard/curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ouaf::dashboard {

Curve curve_of(std::span<const double> x, std::span<const double> y) {
    Curve curve;
    const std::size_t count = std::min(x.size(), y.size());
    curve.x.reserve(count);
    curve.y.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
        while (!curve.x.empty() && curve.x.back() > x[i]) {
            curve.x.pop_back();
            curve.y.pop_back();
        }
        curve.x.push_back(x[i]);
        curve.y.push_back(y[i]);
    }
    return curve;
}

std::vector<double> smooth(std::span<const double> values, double weight) {
    std::vector<double> smoothed;
    smoothed.reserve(values.size());
    double mean = 0;
    double sum = 0;  // of the weights so far
    for (const double value : values) {
        mean = mean * weight + value * (1 - weight);
        sum = sum * weight + (1 - weight);
        smoothed.push_back(mean / sum);
    }
    return smoothed;
}

Curve thin(const Curve& curve, double low, double high, std::size_t columns) {
    Curve thinned;
    const auto index = [&](auto place) { return static_cast<std::size_t>(place - curve.x.begin()); };
    std::size_t begin = index(std::lower_bound(curve.x.begin(), curve.x.end(), low));
    std::size_t end = index(std::upper_bound(curve.x.begin(), curve.x.end(), high));
    const auto keep = [&](std::size_t i) {
        thinned.x.push_back(curve.x[i]);
        thinned.y.push_back(curve.y[i]);
    };
    if (begin > 0) keep(begin - 1);
    const double width = (high - low) / static_cast<double>(std::max<std::size_t>(columns, 1));
    for (std::size_t first = begin; first < end;) {
        const double column = width > 0 ? std::floor((curve.x[first] - low) / width) : 0;
        const double edge = low + (column + 1) * width;
        std::size_t next = first + 1;
        std::size_t lowest = first;
        std::size_t highest = first;
        for (; next < end && (curve.x[next] < edge || width <= 0); ++next) {
            if (curve.y[next] < curve.y[lowest]) lowest = next;
            if (curve.y[next] > curve.y[highest]) highest = next;
        }
        std::array<std::size_t, 4> kept{first, lowest, highest, next - 1};
        std::sort(kept.begin(), kept.end());
        for (std::size_t i = 0; i < kept.size(); ++i)
            if (i == 0 || kept.at(i) != kept.at(i - 1)) keep(kept.at(i));
        first = next;
    }
    if (end < curve.x.size()) keep(end);
    return thinned;
}

std::size_t nearest(const Curve& curve, double x) {
    const auto above = std::lower_bound(curve.x.begin(), curve.x.end(), x);
    const auto place = static_cast<std::size_t>(above - curve.x.begin());
    if (place == curve.x.size()) return place - 1;
    return place > 0 && x - curve.x[place - 1] < curve.x[place] - x ? place - 1 : place;
}

}  // namespace ouaf::dashboard
