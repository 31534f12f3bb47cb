// See loss.hpp.
#include "native/train/loss.hpp"

#include <ATen/ATen.h>

namespace ouaf {

at::Tensor soft_targets(const at::Tensor& labels, std::int64_t classes, const LossRecipe& recipe) {
    const double spread = recipe.label_smoothing / static_cast<double>(classes);
    const auto options = labels.options().dtype(at::kFloat);
    return at::full({labels.size(0), classes}, spread, options)
        .scatter_(1, labels.unsqueeze(1), 1 - recipe.label_smoothing + spread);
}

at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& targets, LossKind kind) {
    switch (kind) {
        case LossKind::cross_entropy: return at::cross_entropy_loss(logits, targets);
        case LossKind::binary_cross_entropy: return at::binary_cross_entropy_with_logits(logits, targets);
        case LossKind::mean_squared_error: break;
    }
    return at::mse_loss(logits.softmax(1), targets);
}

}  // namespace ouaf
