// What the network reads.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

namespace ouaf {

// Channels as many as the pictures have.
struct PictureForm {
    std::int64_t side = 224;
    std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  // of 0..1
    std::array<float, 3> std{0.229F, 0.224F, 0.225F};
    at::Tensor whitening{};  // [side * side * channels, the same], symmetric: what a normalised picture, as one row in
                             // the order of rows, columns, channels, is multiplied by; undefined: nothing
};

}  // namespace ouaf
