// See batch.hpp.
#include "native/train/batch.hpp"

#include <ATen/ATen.h>

namespace ouaf {

Batch training_batch(const Pictures& pictures, const at::Tensor& places, const Stage& stage, const PictureForm& form,
                     at::Generator& generator, const at::Device& device, const Share& share) {
    const auto classes = static_cast<std::int64_t>(pictures.classes.size());
    const at::Tensor taken = rows_of(places.size(0), share).of(places);
    const at::Tensor targets = soft_targets(pictures.labels.index_select(0, taken), classes, stage.fit.loss);
    at::Tensor bytes = pictures.gather(taken);
    if (device.is_cuda()) bytes = bytes.pin_memory().to(device, /*non_blocking=*/true);
    return augment(bytes, pictures.aspects.index_select(0, places), targets.to(device), stage.augment, form, generator,
                   share);
}

}  // namespace ouaf
