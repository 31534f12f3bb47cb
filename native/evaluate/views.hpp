// Test-time augmentation: a photo seen in several views, and one answer made of theirs.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "shared/preprocess/preprocess.hpp"

namespace ouaf {

//   none       the centre crop
//   flip       the centre crop and its mirror image
//   five_crop  the four corners of the resized photo and its centre (torchvision's FiveCrop)
//   ten_crop   these five and their mirror images (TenCrop; Krizhevsky et al. 2012, 4.1)
enum class Tta { none, flip, five_crop, ten_crop };
constexpr std::array<std::string_view, 4> tta_names{"none", "flip", "five_crop", "ten_crop"};

std::int64_t view_count(Tta tta);

// Writes view_count(tta) tensors, one after the other, to `views` [views, 3, size, size] float32. The first is the
// centre crop, to the bit what preprocess() makes.
void write_views(const DecodedPhoto& photo, const PreprocessSpec& spec, Tta tta, at::Tensor views);

// The mean over the views of the softmax of logits / temperature, as Krizhevsky et al. average it, from logits [photos,
// views, classes]. Returned as its logarithm [photos, classes]: logits whose softmax it is.
at::Tensor average_views(const at::Tensor& logits, double temperature);

}  // namespace ouaf
