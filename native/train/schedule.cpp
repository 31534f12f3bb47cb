// See schedule.hpp.
#include "native/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ouaf {
namespace {

// From `start` to `end` along half a cosine, at `share` of the way.
double along_cosine(double start, double end, double share) {
    return end + (start - end) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

double one_cycle(double warm_up, double epoch, double epochs) {
    constexpr double start = 1.0 / 25;
    constexpr double end = start / 1e4;
    const double rise = warm_up > 0 ? warm_up : 0.3 * epochs;
    if (epoch < rise) return along_cosine(start, 1, epoch / rise);
    return along_cosine(1, end, (epoch - rise) / std::max(epochs - rise, 1e-9));
}

}  // namespace

double rate_at(const ScheduleRecipe& recipe, double epoch, double epochs) {
    if (recipe.kind == ScheduleKind::one_cycle) return one_cycle(recipe.warm_up, epoch, epochs);
    if (epoch < recipe.warm_up) return epoch / recipe.warm_up;
    switch (recipe.kind) {
        case ScheduleKind::step: return std::pow(recipe.factor, std::floor(epoch / recipe.every));
        case ScheduleKind::exponential: return std::pow(recipe.factor, std::floor(epoch));
        case ScheduleKind::cosine:
            return along_cosine(1, recipe.least, (epoch - recipe.warm_up) / std::max(epochs - recipe.warm_up, 1e-9));
        case ScheduleKind::constant:
        case ScheduleKind::one_cycle: break;
    }
    return 1;
}

void Plateau::watch(double loss, int patience, double factor, double least) {
    constexpr double better = 1 - 1e-4;  // as PyTorch's relative threshold
    if (loss < best * better) {
        best = loss;
        waited = 0;
        return;
    }
    if (++waited <= patience) return;
    rate = std::max(rate * factor, least);
    waited = 0;
}

}  // namespace ouaf
