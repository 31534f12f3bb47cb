// A run that trains by gradients, from recipe to weights.
#pragma once

#include <atomic>
#include <filesystem>

#include "native/train/fit.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

struct FitOutcome {
    FitResult fit;
    std::int64_t parameters = 0;
    std::int64_t training_pictures = 0;
    std::int64_t validation_pictures = 0;
    std::int64_t test_pictures = 0;
    Accuracy test;                  // of the weights with the smallest validation loss
    std::filesystem::path network;  // the ONNX file
};

// Makes the run directory, or goes on with the one that is there, `until` so many epochs are done. The test split is
// looked at once, at the end.
FitOutcome start_fit(const Recipe& recipe, const std::filesystem::path& folder, const std::atomic<bool>& stop,
                     const FitReport& report, int until = whole_run);
FitOutcome resume_fit(const std::filesystem::path& folder, const std::atomic<bool>& stop, const FitReport& report,
                      int until = whole_run);

}  // namespace ouaf
