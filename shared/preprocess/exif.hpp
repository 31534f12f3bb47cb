// The one EXIF field that matters here: how the camera was held.
#pragma once

#include <cstdint>
#include <span>

#include "shared/preprocess/image.hpp"

namespace ouaf {

// The orientation (EXIF 2.32, tag 0x0112) in a TIFF block, with or without the "Exif\0\0" that JPEG puts before it.
// 1 (upright) when there is none, when it is not 1 to 8, or when the block is damaged: a photo is shown all the same.
int exif_orientation(std::span<const std::uint8_t> block);

// Turns a stored picture upright. Orientations 5 to 8 swap width and height.
Image turn_upright(Image image, int orientation);

}  // namespace ouaf
