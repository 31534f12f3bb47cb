// The learning rate over a run.
#pragma once

#include <cstdint>
#include <string_view>

namespace ouaf {

enum class ScheduleKind { constant, step, exponential, cosine, one_cycle };

inline constexpr std::string_view schedule_names[]{"constant", "step", "exponential", "cosine", "one_cycle"};

struct ScheduleRecipe {
    ScheduleKind kind = ScheduleKind::constant;
    double warm_up = 0;   // epochs of a straight line from 0; in one_cycle, the rise instead: 0 means 0.3 of the run
    double every = 30;    // epochs; step: how often the rate falls
    double factor = 0.1;  // step: what it falls to each time; exponential: the same for each epoch
    double least = 0;     // cosine: where it ends, as a share of the learning rate
};

// What the learning rate is multiplied with at an epoch in [0, epochs), which counts in fractions: 2.5 is in the middle
// of the third. cosine: Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts. one_cycle: Smith
// & Topin 2018, https://arxiv.org/abs/1708.07120, as PyTorch's OneCycleLR: cosines from 1/25 to 1 to 1/250,000.
double rate_at(const ScheduleRecipe& recipe, double epoch, double epochs);

// ReduceLROnPlateau of Keras and PyTorch: after `patience` epochs in which the loss did not get better by 1e-4 of
// itself, the rate is multiplied with `factor`, but does not fall under `least`.
struct Plateau {
    double best = 1e300;
    int waited = 0;
    double rate = 1;

    void watch(double loss, int patience, double factor, double least);
};

}  // namespace ouaf
