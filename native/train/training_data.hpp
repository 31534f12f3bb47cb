// The pictures of a run: what it is trained on, watched by and reported with.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/data/partition.hpp"
#include "native/data/pictures.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

struct DataReport {
    std::function<void(const std::string& what)> say;  // a sentence, before something that takes long
    std::function<void(std::string_view stage, double share)> progress;
};

// A data set that was found. Of photos in files only the paths are known; a pixel set is in memory, its pictures stay
// as they are.
struct TrainingData {
    std::optional<Partition> photos;  // else, a pixel set:
    Pictures training;
    Pictures validation;
    Pictures test;

    const std::vector<DatasetClass>& classes() const { return photos ? photos->train.classes : training.classes; }
};

// `split`: a run's list of its photos, which counts where it is there. Throws std::runtime_error "path: cause; what to
// do" where no pictures are there.
TrainingData open_training_data(const Recipe& recipe, const std::filesystem::path& split);

// Throws std::runtime_error "root: cause; what to do" where more than the share `allowed` of the photos failed.
void refuse_unreadable(const std::vector<PhotoFailure>& failures, const Dataset& photos, double allowed);

// Pictures of photos, and what is left out.
struct ReadablePictures {
    Pictures pictures;
    std::vector<std::string> unreadable;  // "path: cause"
};

// Stores the photos, cut to their boxes (boxes.hpp) where `to_boxes` says so, where they are not stored yet
// (photo_store.hpp). Throws as refuse_unreadable does.
ReadablePictures read_photos(const Dataset& photos, const StoredForm& form, bool to_boxes, double unreadable,
                             const std::atomic<bool>& stop, const DataReport& report);

}  // namespace ouaf
