// Reads the orientation from a TIFF block and applies it.
#include "shared/preprocess/exif.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace ouaf {
namespace {

// Bounds-checked reads in the byte order that the TIFF block declares; outside the block everything is 0.
struct TiffReader {
    std::span<const std::uint8_t> bytes;
    bool big_endian = false;

    std::uint32_t read(std::size_t at, std::size_t size) const {
        if (at > bytes.size() || size > bytes.size() - at) return 0;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t shift = 8 * (big_endian ? size - 1 - i : i);
            value |= static_cast<std::uint32_t>(bytes[at + i]) << shift;
        }
        return value;
    }
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> block) {
    constexpr std::array<std::uint8_t, 6> prefix{'E', 'x', 'i', 'f', 0, 0};
    if (block.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), block.begin())) {
        block = block.subspan(prefix.size());
    }
    TiffReader tiff{block};
    if (tiff.read(0, 2) == 0x4D4D) tiff.big_endian = true;
    else if (tiff.read(0, 2) != 0x4949) return 1;
    if (tiff.read(2, 2) != 42) return 1;

    constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3;
    const std::size_t directory = tiff.read(4, 4);
    const std::size_t count = tiff.read(directory, 2);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t entry = directory + 2 + 12 * i;
        if (tiff.read(entry, 2) != orientation_tag) continue;
        const std::uint32_t value = tiff.read(entry + 2, 2) == short_type ? tiff.read(entry + 8, 2) : 1;
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

Image turn_upright(Image image, int orientation) {
    if (orientation <= 1 || orientation > 8) return image;
    const bool swapped = orientation >= 5;
    const int w = image.width, h = image.height;
    Image upright(swapped ? h : w, swapped ? w : h);
    for (int y = 0; y < upright.height; ++y) {
        std::uint8_t* out = upright.row(y);
        for (int x = 0; x < upright.width; ++x) {
            int sx = swapped ? y : x, sy = swapped ? x : y;
            // 2 mirrored, 3 upside down, 4 flipped, 5 transposed, 6 turned left, 7 transversed, 8 turned right
            if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) sx = w - 1 - sx;
            if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) sy = h - 1 - sy;
            const std::uint8_t* in = image.row(sy) + static_cast<std::ptrdiff_t>(sx) * 3;
            out = std::copy_n(in, 3, out);
        }
    }
    return upright;
}

}  // namespace ouaf
