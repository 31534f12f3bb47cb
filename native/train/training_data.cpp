// See training_data.hpp.
#include "native/train/training_data.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace ouaf {
namespace {

void check(const TrainingData& data, const std::filesystem::path& root) {
    const auto none = [&](const Pictures& pictures, const Dataset* photos) {
        return photos ? photos->samples.empty() : pictures.count() == 0;
    };
    if (none(data.validation, data.photos ? &data.photos->validation : nullptr))
        throw std::runtime_error(root.string() +
                                 ": no pictures are left to choose the epoch by; give the recipe's 'validation' or "
                                 "'split' a share for them");
    if (none(data.test, data.photos ? &data.photos->test : nullptr))
        throw std::runtime_error(root.string() +
                                 ": no pictures are left for the test; add some, or give 'split' a "
                                 "share for it");
}

}  // namespace

void refuse_unreadable(const std::vector<PhotoFailure>& failures, const Dataset& photos, double allowed) {
    if (static_cast<double>(failures.size()) <= allowed * static_cast<double>(photos.samples.size())) return;
    const PhotoFailure& first = failures.front();
    throw std::runtime_error(photos.root.string() + ": " + std::to_string(failures.size()) + " of " +
                             std::to_string(photos.samples.size()) + " photos can't be read, such as " +
                             photos.samples[first.sample].path.string() + " (" + first.cause +
                             "); mend or remove them, or let more be left out by the recipe's 'unreadable'");
}

TrainingData open_training_data(const Recipe& recipe, const std::filesystem::path& split) {
    TrainingData data;
    if (const auto set = open_pixel_set(recipe.data.root, Split::train)) {
        if (!recipe.data.classes.empty() || recipe.data.split != std::array<double, 3>{})
            throw std::runtime_error(recipe.data.root.string() +
                                     ": MNIST and CIFAR-10 are taken as they come; leave 'classes' and 'split' out");
        std::tie(data.training, data.validation) =
            split_pictures(pictures_of(*set), recipe.data.validation, recipe.data.seed);
        data.test = pictures_of(open_pixel_set(recipe.data.root, Split::test).value());
    } else {
        DataRecipe found = recipe.data;
        if (std::filesystem::exists(split)) {
            found = {};
            found.root = split;
            found.validation = 0;  // it says what is set apart
        }
        data.photos = open_partition(found);
        for (Dataset* part : {&data.photos->train, &data.photos->validation, &data.photos->test})
            part->root = recipe.data.root;  // photos are stored by it
    }
    check(data, recipe.data.root);
    return data;
}

ReadablePictures read_photos(const Dataset& photos, const StoredForm& form, bool to_boxes, double unreadable,
                             const std::atomic<bool>& stop, const DataReport& report) {
    const StoreReport store{[&](std::size_t count, std::uintmax_t bytes, const std::filesystem::path& folder) {
                                report.say("storing " + std::to_string(count) + " photos, " +
                                           std::to_string(bytes / 1'000'000) + " MB, in " + folder.string());
                            },
                            [&](double share) { report.progress("storing photos", share); }};
    const auto boxes = to_boxes ? read_boxes(photos) : std::vector<std::optional<Box>>();
    if (to_boxes && std::none_of(boxes.begin(), boxes.end(), [](const auto& box) { return box.has_value(); }))
        throw std::runtime_error(photos.root.string() +
                                 ": no photo has a bounding box; leave the recipe's 'crop_to_box' out, or unpack the "
                                 "data set's folder Annotation beside Images");
    const StoredPhotos stored = store_photos(photos.root, photos.samples, boxes, form, photo_cache(), stop, store);
    refuse_unreadable(stored.failures, photos, unreadable);
    ReadablePictures read{pictures_of(stored, photos), {}};
    for (const PhotoFailure& failure : stored.failures)
        read.unreadable.push_back(photos.samples[failure.sample].path.string() + ": " + failure.cause);
    return read;
}

}  // namespace ouaf
