// Bundles that a network learns from: what they say of the pictures that it is trained on.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <memory>
#include <optional>
#include <vector>

#include "native/graph/network.hpp"
#include "native/train/answer_store.hpp"
#include "native/train/recipe.hpp"
#include "shared/bundle/bundle.hpp"

namespace ouaf {

class Teachers {
 public:
    // preprocess: of the network that learns. autocast: what the teachers compute in beside float32. On a CPU, answers
    // are kept in `answers`, a file a teacher, and taken from there. Throws std::runtime_error "path: cause" for what
    // is no bundle or lacks one of the classes (by id).
    Teachers(const DistilRecipe& recipe, const std::vector<ClassLabel>& classes, const PreprocessSpec& preprocess,
             std::optional<at::ScalarType> autocast, const std::filesystem::path& answers);

    void to(const at::Device& device);

    bool empty() const { return teachers_.empty(); }

    // images as the student sees them, [n, 3, h, w] -> [n, classes]: the mean of the teachers' softmax(logits /
    // temperature) over the student's classes. Each teacher sees them at its size and normalised as it wants them.
    at::Tensor probabilities(const at::Tensor& images);

    // loss * (1 - weight) + weight * temperature^2 * KL(teachers || student), mean over the pictures.
    at::Tensor loss(const at::Tensor& images, const at::Tensor& logits, const at::Tensor& loss);

 private:
    struct Teacher {
        graph::Network network;
        at::Tensor places;         // of the student's classes in the teacher's logits, [classes] int64
        at::Tensor factor, shift;  // from the student's normalisation to the teacher's, [1, 3, 1, 1]
        std::unique_ptr<AnswerStore> answers;
    };
    at::Tensor ask(Teacher& teacher, const at::Tensor& images) const;
    at::Tensor answers(Teacher& teacher, const at::Tensor& images) const;

    DistilRecipe recipe_;
    std::vector<Teacher> teachers_;
};

}  // namespace ouaf
