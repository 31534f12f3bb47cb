// What training makes small. All are means over the photos of a batch; logits [n, classes].
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace ouaf {

enum class LossKind { cross_entropy, binary_cross_entropy, mean_squared_error };

inline constexpr std::string_view loss_names[]{"cross_entropy", "binary_cross_entropy", "mean_squared_error"};

struct LossRecipe {
    LossKind kind = LossKind::cross_entropy;
    double label_smoothing = 0;  // this share of a label is spread over all classes, Szegedy et al. 2016
};

// Labels [n] int64 -> what the network should say, [n, classes]: one-hot and smoothed. Mixup and cutmix mix such rows.
at::Tensor soft_targets(const at::Tensor& labels, std::int64_t classes, const LossRecipe& recipe);

// targets [n, classes], rows that sum to 1.
//   cross_entropy         -sum(targets log softmax(logits))
//   binary_cross_entropy  each logit as a yes or no of its own, mean over the classes (timm's BinaryCrossEntropy)
//   mean_squared_error    of softmax(logits), mean over the classes (Keras' mse behind a softmax layer)
at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& targets, LossKind kind);

}  // namespace ouaf
