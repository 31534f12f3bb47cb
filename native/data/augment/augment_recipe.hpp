// How training pictures are changed at random: [augment] of a recipe. What stands at its default is left out.
#pragma once

#include <array>
#include <string_view>

namespace ouaf {

enum class Whitening { none, featurewise, zca };

inline constexpr std::string_view whitening_names[]{"none", "featurewise", "zca"};

struct AugmentRecipe {
    // Which part of the picture is seen, see geometry.hpp.
    std::array<double, 2> crop{1, 1};  // share of the area that is kept and enlarged to the side, torchvision's
                                       // RandomResizedCrop with its ratios of 3/4 to 4/3; {1, 1}: the centre square
    double flip = 0;                   // how likely left and right are exchanged
    double rotation = 0;               // degrees to either side, as the following in Keras' ImageDataGenerator
    double shift = 0;                  // share of the side, in both directions
    double shear = 0;                  // degrees
    double zoom = 0;                   // sides by 1 - zoom to 1 + zoom, each by itself

    // Cubuk et al. 2020, see rand_augment.hpp.
    int randaugment = 0;            // operations a picture
    int randaugment_magnitude = 9;  // 0 to 30

    // Colours, in this order, see colour.hpp.
    double equalise = 0;                     // how likely the histogram of each channel is levelled
    std::array<double, 2> brightness{1, 1};  // factor of all values
    double contrast = 0;                     // factor 1 - c to 1 + c away from the mean grey, torchvision's ColorJitter
    double saturation = 0;                   // factor 1 - s to 1 + s away from each pixel's grey, the same
    double hue = 0;                          // turn by -h to h of the whole circle, the same
    double grey = 0;                         // how likely colour is taken away

    // See mixing.hpp.
    double erase = 0;   // how likely a box is emptied, Zhong et al. 2017, torchvision's RandomErasing
    double mixup = 0;   // alpha of Zhang et al. 2018, https://arxiv.org/abs/1710.09412
    double cutmix = 0;  // alpha of Yun et al. 2019, https://arxiv.org/abs/1905.04899

    // Not at random: what pictures are standardised by, see whiten.hpp.
    Whitening whiten = Whitening::none;
    double zca_epsilon = 1e-6;
};

}  // namespace ouaf
