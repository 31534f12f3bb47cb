// Photo bytes to pixels: JPEG (baseline, progressive, grey, CMYK, YCCK), PNG (any depth, palette, alpha over white),
// WebP (first frame, alpha over white) and BMP, turned upright by EXIF. Colour profiles are ignored, as training
// pipelines do. The same code runs natively and in the browser and gives the same bytes.
//
//   DecodedPhoto photo = decode(bytes, 256);      // enough pixels for a short side of 256
#pragma once

#include <cstdint>
#include <span>

#include "shared/preprocess/image.hpp"

namespace ouaf {

constexpr std::int64_t max_pixels = 100'000'000;

// Counts the changes of the bytes that come out of decode and resize: what was stored by another is decoded again.
constexpr int decoder_version = 1;

struct DecodedPhoto {
    Image image;    // upright; may be a whole fraction (1/2, 1/4, 1/8) of the photo's size
    int width = 0;  // of the upright photo itself, pixels
    int height = 0;
};

// Decodes a whole photo. A JPEG whose short side is at least twice 2, 4 or 8 times `short_side` is decoded at that
// fraction of its size (libjpeg's scaled inverse DCT, a box filter in effect): what is left still shrinks twofold.
// The size is read and checked before memory for pixels is asked for.
// Throws PhotoError for anything that is not a whole, readable photo of at most max_pixels.
DecodedPhoto decode(std::span<const std::uint8_t> bytes, int short_side);

}  // namespace ouaf
