// A run that trains by gradients, from recipe to bundle.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "native/train/device.hpp"
#include "native/train/fit.hpp"
#include "native/train/rate_finder.hpp"
#include "native/train/recipe.hpp"
#include "native/train/run_control.hpp"
#include "native/train/training_data.hpp"

namespace ouaf {

struct FitRunReport {
    DataReport data;
    std::function<void(double share)> step;  // of the run
    std::function<void(const EpochReport&)> epoch;
};

struct FitOutcome {
    FitResult fit;
    std::int64_t parameters = 0;
    std::size_t known_classes = 0;  // whose rows of the head a backbone had
    std::int64_t training_pictures = 0;
    std::int64_t validation_pictures = 0;
    std::int64_t test_pictures = 0;
    std::vector<std::string> unreadable;  // "path: cause"
    Accuracy test;                        // of the weights with the smallest validation loss
    std::optional<Accuracy> int8;         // of the bundle; none where there is no bundle
    std::filesystem::path network;        // the ONNX file, float32
    std::filesystem::path model;          // the bundle's folder; empty for pictures of one channel, which no page takes
};

// Makes the run directory, or goes on with the one that is there. The test split is looked at once, at the end. Of
// several processes the first one writes the run directory and tests; the others need to see its files. The network is
// trained and validated on the device, and tested on the processor, as it is shipped.
struct FitHost {
    Processes& processes;
    at::Device device;
    RunControl* control = nullptr;  // of who watches a run of one process; of several it asks for nothing
};
FitOutcome start_fit(const Recipe& recipe, const std::filesystem::path& folder, const std::atomic<bool>& stop,
                     const FitRunReport& report, int until, const FitHost& host);
FitOutcome resume_fit(const std::filesystem::path& folder, const std::atomic<bool>& stop, const FitRunReport& report,
                      int until, const FitHost& host);

// What find_rate says of the recipe's first stage. Makes no run directory.
RateCurve find_rate(const Recipe& recipe, const std::atomic<bool>& stop, const FitRunReport& report);

}  // namespace ouaf
