// The decoders behind decode(), one file a format. Each checks the size it reads with check_size before it allocates.
#pragma once

#include <cstdint>
#include <span>

#include "shared/preprocess/image.hpp"

namespace ouaf {

using Bytes = std::span<const std::uint8_t>;

// A picture as it is stored, and how it must be turned.
struct StoredImage {
    Image image;    // may be a fraction of the stored size
    int width = 0;  // stored size, pixels
    int height = 0;
    int orientation = 1;  // EXIF, 1 to 8
};

// Throws PhotoError for a picture without pixels or with more than max_pixels.
void check_size(std::int64_t width, std::int64_t height);

// value * alpha over white, 8 bits, rounded.
inline std::uint8_t over_white(unsigned value, unsigned alpha) {
    return static_cast<std::uint8_t>((value * alpha + 255u * (255u - alpha) + 127u) / 255u);
}

StoredImage decode_jpeg(Bytes bytes, int short_side);
StoredImage decode_png(Bytes bytes);
StoredImage decode_webp(Bytes bytes);
StoredImage decode_bmp(Bytes bytes);

}  // namespace ouaf
