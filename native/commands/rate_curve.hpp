// What the learning-rate finder saw, for its readers.
#pragma once

#include <string>

#include "native/train/rate_finder.hpp"

namespace ouaf::commands {

// The smoothed loss over the rate's logarithm as a picture of letters, the suggested rate marked with a line.
std::string picture_of(const RateCurve& curve);

// "rate,loss,smoothed" and a line a step.
std::string csv_of(const RateCurve& curve);

}  // namespace ouaf::commands
