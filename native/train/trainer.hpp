// A head-only training run, from recipe to bundle.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "native/evaluate/metrics.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

// What a run tells while it goes on.
struct TrainingReport {
    // The stage at hand, and how much of the whole run is done, 0 to 1.
    std::function<void(std::string_view stage, double share)> progress;
};

struct TrainingResult {
    std::size_t training_photos = 0;
    std::size_t classes = 0;
    std::size_t known_classes = 0;       // that began from the backbone's own rows
    std::vector<PhotoFailure> failures;  // training photos left out; indices into the training split
    double training_cross_entropy = 0;
    Evaluation float32;  // on the test split
    Evaluation int8;     // of the bundle that is written
    std::filesystem::path model;
};

// Computes the backbone's features of the training photos once, fits the head on them, stores the weights as int8,
// evaluates both on the test split and writes the bundle into the run directory `folder`, which is made once the
// backbone and the data set could be opened. Throws std::runtime_error when more than one training photo in a hundred
// can't be read.
TrainingResult train(const Recipe& recipe, const std::filesystem::path& folder, const TrainingReport& report);

}  // namespace ouaf
