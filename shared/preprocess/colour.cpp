// Luma-based colour steps.
#include "shared/preprocess/colour.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ouaf {
namespace {

// 0.299 R + 0.587 G + 0.114 B in 16 fractional bits, rounded.
unsigned luma(const std::uint8_t* pixel) {
    return (19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 0x8000u) >> 16;
}

}  // namespace

void to_grey(Image& image) {
    for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
        std::fill_n(&image.rgb[i], 3, static_cast<std::uint8_t>(luma(&image.rgb[i])));
    }
}

void equalise(Image& image) {
    std::array<std::uint64_t, 256> histogram{};
    for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) ++histogram[luma(&image.rgb[i])];

    const auto darkest = static_cast<std::size_t>(
        std::find_if(histogram.begin(), histogram.end(), [](auto count) { return count > 0; }) - histogram.begin());
    const std::uint64_t pixels = image.rgb.size() / 3;
    if (darkest == histogram.size() || histogram[darkest] == pixels) return;
    const std::uint64_t rest = pixels - histogram[darkest];

    std::array<int, 256> move{};  // new luma - old luma
    std::uint64_t brighter = 0;   // pixels above the darkest, up to this luma
    for (std::size_t level = darkest; level < move.size(); ++level) {
        if (level > darkest) brighter += histogram[level];
        move[level] = static_cast<int>((brighter * 255 + rest / 2) / rest) - static_cast<int>(level);
    }
    for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
        const int change = move[luma(&image.rgb[i])];
        for (std::size_t c = 0; c < 3; ++c) {
            image.rgb[i + c] = static_cast<std::uint8_t>(std::clamp(image.rgb[i + c] + change, 0, 255));
        }
    }
}

}  // namespace ouaf
