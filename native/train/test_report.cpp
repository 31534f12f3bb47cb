// See test_report.hpp.
#include "native/train/test_report.hpp"

#include <nlohmann/json.hpp>

namespace ouaf {

nlohmann::ordered_json test_event(const char* weights, std::int64_t photos, const Accuracy& accuracy) {
    return {{"event", "test"},       {"weights", weights},    {"photos", photos},
            {"top1", accuracy.top1}, {"top5", accuracy.top5}, {"cross_entropy", accuracy.cross_entropy}};
}

std::map<std::string, double> test_metrics(std::int64_t photos, const Accuracy& int8, const Accuracy& float32) {
    return {{"test_photos", static_cast<double>(photos)},
            {"test_top1", int8.top1},
            {"test_top5", int8.top5},
            {"test_cross_entropy", int8.cross_entropy},
            {"test_top1_float32", float32.top1}};
}

}  // namespace ouaf
