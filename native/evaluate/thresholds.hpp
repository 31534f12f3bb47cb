// From which logits and probabilities on an answer is to be trusted: Bundle::none_below and Bundle::unsure_below,
// chosen on photos.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ouaf {

// The chance that one of `above` is larger than one of `below`, equal ones half: the area under the ROC curve. Both
// hold something.
double area_under_roc(std::span<const double> above, std::span<const double> below);

// How a threshold divides two sets.
struct Division {
    double threshold = 0;
    double kept = 0;         // share of `above` that is at least the threshold
    double let_through = 0;  // of `below`
};

// The threshold with the largest kept - let_through (Youden's J): of all that divide the same, in the middle.
Division divide(std::span<const double> above, std::span<const double> below);

struct Trust {
    double threshold = 0;
    double answered = 0;  // share of the answers that are at least the threshold
    double right = 0;     // share of these that are right
};

// The smallest threshold from which on at least the share `right` of the answers is right; 0 where all of them
// together are right so often, and just above the largest where no threshold reaches it.
Trust trust_from(std::span<const double> probabilities, const std::vector<bool>& is_right, double right);

}  // namespace ouaf
