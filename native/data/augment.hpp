// Training pictures changed at random: which part of them is seen, RandAugment, colours, then what empties and mixes.
//
//     Batch batch = augment(pictures, aspects, targets, recipe, {224, mean, std}, generator);
//
// Random numbers are drawn on the CPU from the generator alone: its state and the pictures decide the batch. They are
// all drawn first; then the CPU takes a few pictures through all the steps at a time, which stay in its cache from step
// to step, and any other device takes the whole batch.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "native/data/augment/augment_recipe.hpp"
#include "native/data/augment/geometry.hpp"
#include "native/data/augment/mixing.hpp"
#include "native/data/augment/picture_form.hpp"
#include "native/data/augment/share.hpp"

namespace ouaf {

// The middle of the pictures as the network reads it, nothing changed at random.
at::Tensor plain(const at::Tensor& pictures, const at::Tensor& aspects, const PictureForm& form);

// The whole way. pictures [n, h, w, c] uint8, targets [n, classes] float32, of a share of the batch; aspects of all of
// it, for the generator goes on as if all of it were changed.
Batch augment(const at::Tensor& pictures, const at::Tensor& aspects, const at::Tensor& targets,
              const AugmentRecipe& recipe, const PictureForm& form, at::Generator& generator, const Share& share = {});

}  // namespace ouaf
