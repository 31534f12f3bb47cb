// Training pictures changed at random, a whole batch at once and on its device: one resampling for everything that
// moves pixels, then colours, then what mixes pictures.
//
//     Batch batch = augment(pictures, aspects, targets, recipe, {224, mean, std}, generator);
//
// Random numbers are drawn on the CPU from the generator alone: its state and the pictures decide the batch.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <array>

namespace ouaf {

struct AugmentRecipe {
    std::array<double, 2> crop{1, 1};  // share of the area that is kept and enlarged to the side, torchvision's
                                       // RandomResizedCrop with its ratios of 3/4 to 4/3; {1, 1}: the centre square
    double flip = 0;                   // how likely left and right are exchanged
    double rotation = 0;               // degrees to either side, as the following in Keras' ImageDataGenerator
    double shift = 0;                  // share of the side, in both directions
    double shear = 0;                  // degrees
    double zoom = 0;                   // sides by 1 - zoom to 1 + zoom, each by itself
    std::array<double, 2> brightness{1, 1};  // factor of all values
    double contrast = 0;                     // factor 1 - c to 1 + c away from the mean grey, torchvision's ColorJitter
    double saturation = 0;                   // factor 1 - s to 1 + s away from each pixel's grey, the same
    double grey = 0;                         // how likely colour is taken away
    double erase = 0;   // how likely a box is emptied, Zhong et al. 2017, torchvision's RandomErasing
    double mixup = 0;   // alpha of Zhang et al. 2018, https://arxiv.org/abs/1710.09412
    double cutmix = 0;  // alpha of Yun et al. 2019, https://arxiv.org/abs/1905.04899
};

// What the network reads: channels as many as the pictures have.
struct PictureForm {
    std::int64_t side = 224;
    std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  // of 0..1
    std::array<float, 3> std{0.229F, 0.224F, 0.225F};
};

struct Batch {
    at::Tensor images;   // [n, channels, side, side] float32, normalised, channels_last
    at::Tensor targets;  // [n, classes]
};

// Where each picture of a batch comes from, [n] float32: the part of it that is kept, and how that is moved about.
struct Poses {
    at::Tensor centre_x, centre_y, width, height;  // of the kept part, as shares of the picture
    at::Tensor mirror;                             // 1, or -1 for left and right exchanged
    at::Tensor angle, shear;                       // radians
    at::Tensor shift_x, shift_y;                   // shares of the side
    at::Tensor zoom_x, zoom_y;
};

// aspects: width over height of each photo before it was stored square, [n] float32.
Poses draw_poses(const at::Tensor& aspects, const AugmentRecipe& recipe, at::Generator& generator);

// pictures [n, c, h, w] float32 -> [n, c, side, side], bilinear; beyond the edge the nearest pixel. A place (x, y) of
// the result, from the middle, comes from mirror, then zoom, shear, shift, rotation in Keras' order (rotation * shift *
// shear * zoom), within the kept part.
at::Tensor move(const at::Tensor& pictures, const Poses& poses, std::int64_t side);

// The middle of the pictures as the network reads it, nothing changed at random: what training is measured with.
at::Tensor plain(const at::Tensor& pictures, const at::Tensor& aspects, const PictureForm& form);

// The whole way. pictures [n, h, w, c] uint8, targets [n, classes] float32.
Batch augment(const at::Tensor& pictures, const at::Tensor& aspects, const at::Tensor& targets,
              const AugmentRecipe& recipe, const PictureForm& form, at::Generator& generator);

}  // namespace ouaf
