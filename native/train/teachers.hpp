// Bundles that a network learns from: what they say of the pictures that it is trained on.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "native/graph/network.hpp"
#include "native/train/recipe.hpp"
#include "shared/bundle/bundle.hpp"

namespace ouaf {

class Teachers {
 public:
    // Throws std::runtime_error "path: cause" for what is no bundle, lacks one of the classes (by id), or wants its
    // pictures normalised differently.
    Teachers(const DistilRecipe& recipe, const std::vector<ClassLabel>& classes, const PreprocessSpec& preprocess);

    void to(const at::Device& device);

    bool empty() const { return teachers_.empty(); }

    // images as the student sees them, [n, 3, h, w] -> [n, classes]: the mean of the teachers' softmax(logits /
    // temperature) over the student's classes.
    at::Tensor probabilities(const at::Tensor& images);

    // loss * (1 - weight) + weight * temperature^2 * KL(teachers || student), mean over the pictures.
    at::Tensor loss(const at::Tensor& images, const at::Tensor& logits, const at::Tensor& loss);

 private:
    struct Teacher {
        graph::Network network;
        at::Tensor places;  // of the student's classes in the teacher's logits, [classes] int64
    };
    DistilRecipe recipe_;
    std::vector<Teacher> teachers_;
};

}  // namespace ouaf
