// See batch.hpp.
#include "native/train/batch.hpp"

#include <ATen/ATen.h>

namespace ouaf {

Batch training_batch(const Pictures& pictures, const at::Tensor& places, const Stage& stage, const PictureForm& form,
                     at::Generator& generator, const Share& share) {
    const auto classes = static_cast<std::int64_t>(pictures.classes.size());
    const at::Tensor taken = rows_of(places.size(0), share).of(places);
    const at::Tensor targets = soft_targets(pictures.labels.index_select(0, taken), classes, stage.fit.loss);
    return augment(pictures.gather(taken), pictures.aspects.index_select(0, places), targets, stage.augment, form,
                   generator, share);
}

}  // namespace ouaf
