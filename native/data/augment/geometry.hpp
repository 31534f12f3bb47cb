// Which part of each picture is seen, and how it lies.
//
// A part that is only mirrored is resampled as torchvision.transforms.v2 does it: cut at whole pixels, then resized
// with an anti-aliasing triangle filter whose result is bytes again. Where rotation, shift, shear or zoom is drawn, all
// of it, the part and the mirror too, is one bilinear resampling instead, which looks at four pixels: reduced to less
// than half the stored size, such a picture aliases.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "native/data/augment/augment_recipe.hpp"

namespace ouaf {

// Where each picture of a batch comes from, [n] float32: the part of it that is kept, and how that is moved about.
struct Poses {
    at::Tensor centre_x, centre_y, width, height;  // of the kept part, as shares of the picture
    at::Tensor mirror;                             // 1, or -1 for left and right exchanged
    at::Tensor angle, shear;                       // radians
    at::Tensor shift_x, shift_y;                   // shares of the side
    at::Tensor zoom_x, zoom_y;

    Poses part(std::int64_t first, std::int64_t last) const;
};

// aspects: width over height of each photo before it was stored square, [n] float32.
Poses draw_poses(const at::Tensor& aspects, const AugmentRecipe& recipe, at::Generator& generator);

// Whether poses of this recipe need `move`.
bool turns(const AugmentRecipe& recipe);

// pictures [n, c, h, w] float32 -> [n, c, side, side], bilinear; beyond the edge the nearest pixel. A place (x, y) of
// the result, from the middle, comes from mirror, then zoom, shear, shift, rotation in Keras' order (rotation * shift *
// shear * zoom), within the kept part.
at::Tensor move(const at::Tensor& pictures, const Poses& poses, std::int64_t side);

// pictures [n, h, w, c] uint8 -> [n, side, side, c] float32 in 0..255: the kept parts, mirrored, nothing else of the
// poses.
at::Tensor cut_out(const at::Tensor& pictures, const Poses& poses, std::int64_t side);

}  // namespace ouaf
