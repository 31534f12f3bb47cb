// How right a model is on labelled photos.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/evaluate/inference.hpp"

namespace ouaf {

struct Accuracy {
    double top1 = 0;  // share, 0 to 1
    double top5 = 0;
    double cross_entropy = 0;  // mean, nats
};

// Of logits [n, classes], divided by the temperature before the softmax, against n labels. Equal logits rank in class
// order.
Accuracy measure(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature);

// A data set seen with a model's classes: photos of other classes are left out and counted.
struct MatchedSamples {
    std::vector<Sample> samples;  // labels are the model's
    std::size_t left_out = 0;     // photos
    std::vector<std::string> unknown_classes;
};

// A folder is a class of the model when its id, its name or its English name is that class's.
MatchedSamples match_classes(const Dataset& data, const Bundle& bundle);

struct Evaluation {
    std::size_t photos = 0;  // that could be read
    Accuracy accuracy;
    double images_per_second = 0;  // from the files' bytes to the logits
    std::vector<PhotoFailure> failures;

    // What the accuracy was measured on, a row a photo that could be read.
    Tta tta = Tta::none;
    at::Tensor logits;                 // [photos, classes]; of several views infer_views' rows
    double temperature = 1;            // they are divided by it before the softmax
    std::vector<std::int64_t> labels;  // of each row
    std::vector<std::size_t> samples;  // which sample each row is of
};

// Throws std::runtime_error "path: cause" where no photo can be read, and where an answer is not a finite number.
Evaluation evaluate(const Model& model, std::span<const Sample> samples, const Progress& progress, Tta tta = Tta::none);

}  // namespace ouaf
