// See rate_curve.hpp.
#include "native/commands/rate_curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace ouaf::commands {
namespace {

constexpr int width = 64;
constexpr int height = 14;

template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
    char text[128];
    std::snprintf(text, sizeof text, pattern, numbers...);
    return text;
}

}  // namespace

std::string picture_of(const RateCurve& curve) {
    if (curve.steps.size() < 2) return "";
    const auto by_loss = [](const RateStep& a, const RateStep& b) { return a.smoothed < b.smoothed; };
    const auto [least, most] = std::minmax_element(curve.steps.begin(), curve.steps.end(), by_loss);
    const double range = std::max(most->smoothed - least->smoothed, 1e-12);
    const double first = std::log10(curve.steps.front().rate);
    const double last = std::log10(curve.steps.back().rate);
    const auto column = [&](double rate) {
        return static_cast<std::size_t>(std::lround((std::log10(rate) - first) / (last - first) * (width - 1)));
    };
    std::vector<std::string> rows(height, std::string(width, ' '));
    if (curve.suggested)
        for (std::string& row : rows) row[column(*curve.suggested)] = '|';
    for (const RateStep& step : curve.steps) {
        const double share = (most->smoothed - step.smoothed) / range;
        rows[static_cast<std::size_t>(std::lround(share * (height - 1)))][column(step.rate)] = '*';
    }
    std::string text;
    for (int row = 0; row < height; ++row) {
        const double loss = most->smoothed - range * row / (height - 1);
        text += format("%9.4f  ", loss) + rows[static_cast<std::size_t>(row)] + "\n";
    }
    const std::string left = format("%.0e", curve.steps.front().rate);
    const std::string right = format("%.0e", curve.steps.back().rate);
    return text + std::string(11, ' ') + left + std::string(width - left.size() - right.size(), ' ') + right + "\n";
}

std::string csv_of(const RateCurve& curve) {
    std::string text = "rate,loss,smoothed\n";
    for (const RateStep& step : curve.steps) text += format("%.9g,%.9g,%.9g\n", step.rate, step.loss, step.smoothed);
    return text;
}

}  // namespace ouaf::commands
