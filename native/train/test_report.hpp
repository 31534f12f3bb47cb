// How a run tells of its test: the one event, and what its bundle keeps.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "native/evaluate/metrics.hpp"

namespace ouaf {

// weights: as they are stored, "float32" or "int8".
nlohmann::ordered_json test_event(const char* weights, std::int64_t photos, const Accuracy& accuracy);

// Bundle::metrics of int8 weights, with the accuracy that they had before.
std::map<std::string, double> test_metrics(std::int64_t photos, const Accuracy& int8, const Accuracy& float32);

}  // namespace ouaf
