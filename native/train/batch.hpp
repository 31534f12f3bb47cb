// A batch of training pictures as a stage changes them.
#pragma once

#include "native/data/augment.hpp"
#include "native/data/pictures.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

// The share's part of the pictures at these places, [k] int64, changed at random and cut to the form's side, with soft
// targets, made on the device: bytes travel there. The pictures are in memory.
Batch training_batch(const Pictures& pictures, const at::Tensor& places, const Stage& stage, const PictureForm& form,
                     at::Generator& generator, const at::Device& device, const Share& share = {});

}  // namespace ouaf
