// Which photos are the same picture, though scaled, stored or lit differently.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "shared/preprocess/image.hpp"

namespace ouaf {

// The luma (ITU-R BT.601, Pillow's "L") shrunk to 8 rows of 9 pixels, as Pillow's BILINEAR does.
using Thumbnail = std::array<std::uint8_t, 72>;

Thumbnail thumbnail_of(Image image);

// The difference hash of Neal Krawetz
// (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html) with the bits of Python's
// ImageHash: for each pixel and its right neighbour a 1 where the neighbour is brighter, row by row, the first in the
// highest bit.
std::uint64_t difference_hash(const Thumbnail& thumbnail);

// Whether two thumbnails of like hashes are of one picture: they correlate, or are nearly equal. Hashes alone say that
// of any two pictures with a light thing in the middle of a dark ground: among 20,580 photos of dogs with at most 2
// differing bits, pairs of one picture correlated by 0.94 to 1.00 and the others by 0.16 to 0.86.
bool same_picture(const Thumbnail& a, const Thumbnail& b);

// The groups of two or more that are linked by pairs of at most `bits` (0 to 3) differing bits of their hashes and of
// which `same` is true; each ascending, in order of their first ones. Not all pairs are compared: hashes that differ in
// no more than 3 bits agree in one of their four quarters.
std::vector<std::vector<std::size_t>> alike(std::span<const std::uint64_t> hashes, int bits,
                                            const std::function<bool(std::size_t, std::size_t)>& same);

}  // namespace ouaf
