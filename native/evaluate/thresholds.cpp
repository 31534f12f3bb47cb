// See thresholds.hpp.
#include "native/evaluate/thresholds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace ouaf {
namespace {

std::vector<double> sorted(std::span<const double> values) {
    std::vector<double> result(values.begin(), values.end());
    std::sort(result.begin(), result.end());
    return result;
}

double share_from(const std::vector<double>& ascending, double threshold) {
    const auto first = std::lower_bound(ascending.begin(), ascending.end(), threshold);
    return static_cast<double>(ascending.end() - first) / static_cast<double>(ascending.size());
}

}  // namespace

double area_under_roc(std::span<const double> above, std::span<const double> below) {
    const std::vector<double> lower = sorted(below);
    double wins = 0;
    for (const double value : above) {
        const auto [first, last] = std::equal_range(lower.begin(), lower.end(), value);
        wins += static_cast<double>(first - lower.begin()) + static_cast<double>(last - first) / 2;
    }
    return wins / (static_cast<double>(above.size()) * static_cast<double>(below.size()));
}

Division divide(std::span<const double> above, std::span<const double> below) {
    const std::vector<double> upper = sorted(above);
    const std::vector<double> lower = sorted(below);
    std::vector<double> all(upper);
    all.insert(all.end(), lower.begin(), lower.end());
    std::sort(all.begin(), all.end());
    Division best{all.front(), 1, 1};
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i] == all[i - 1]) continue;
        const double threshold = std::midpoint(all[i - 1], all[i]);
        const Division found{threshold, share_from(upper, threshold), share_from(lower, threshold)};
        if (found.kept - found.let_through > best.kept - best.let_through) best = found;
    }
    return best;
}

Trust trust_from(std::span<const double> probabilities, const std::vector<bool>& is_right, double right) {
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
    const auto total = static_cast<double>(order.size());
    Trust found{order.empty() ? 0 : std::nextafter(probabilities[order.front()], std::numeric_limits<double>::max()), 0,
                0};
    double hits = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        hits += is_right[order[i]] ? 1 : 0;
        const bool last_of_equals = i + 1 == order.size() || probabilities[order[i + 1]] < probabilities[order[i]];
        const auto count = static_cast<double>(i + 1);
        if (!last_of_equals || hits / count < right) continue;
        const double threshold = i + 1 == order.size() ? 0 : probabilities[order[i]];
        found = {threshold, count / total, hits / count};
    }
    return found;
}

}  // namespace ouaf
