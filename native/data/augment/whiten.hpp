// Statistics that pictures are standardised by, fitted to the training pictures as Keras' ImageDataGenerator.fit does.
#pragma once

#include <ATen/core/Tensor.h>

#include "native/data/augment/augment_recipe.hpp"
#include "native/data/augment/picture_form.hpp"

namespace ouaf {

// form with what recipe.whiten asks for in the place of its mean and std, from at most 10,000 of the pictures, evenly
// spaced, nothing of them changed at random. pictures [n, h, w, c] uint8 and aspects [n] as in augment().
//     none         as it was
//     featurewise  featurewise_center and featurewise_std_normalization: mean and population deviation (+ 1e-6) of each
//                  channel
//     zca          featurewise_center and zca_whitening: with u, s the singular vectors and values of the k centred
//                  pictures of the sample as columns, the matrix u sqrt(k) / (s + zca_epsilon) u'. A place of all
//                  pictures that never changes is enlarged by sqrt(k) / zca_epsilon in one that differs there.
// Throws std::runtime_error for zca on sides above 64 px: the matrix has (side * side * channels)^2 values.
PictureForm fit_form(const PictureForm& form, const at::Tensor& pictures, const at::Tensor& aspects,
                     const AugmentRecipe& recipe);

// images [n, side, side, c], contiguous, normalised -> the same, whitened where the form says so.
at::Tensor whiten(const at::Tensor& images, const PictureForm& form);

}  // namespace ouaf
