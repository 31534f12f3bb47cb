// PNG: every colour type at every depth, palettes, transparency, interlacing.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "shared/preprocess/decode.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

// Samples of `depth` bits as PNG packs them, each row in whole bytes.
File pack(const std::vector<unsigned>& samples, std::size_t samples_a_row, int depth) {
    File bytes;
    for (std::size_t start = 0; start < samples.size(); start += samples_a_row) {
        unsigned group = 0;
        int bits = 0;
        for (std::size_t i = start; i < start + samples_a_row; ++i) {
            group = group << depth | samples[i];
            for (bits += depth; bits >= 8; bits -= 8) bytes.push_back(static_cast<std::uint8_t>(group >> (bits - 8)));
        }
        if (bits > 0) bytes.push_back(static_cast<std::uint8_t>(group << (8 - bits)));
    }
    return bytes;
}

// Values over the whole range of a depth, both ends included.
std::vector<unsigned> ramp(std::size_t count, int depth) {
    const unsigned highest = (1u << depth) - 1;
    std::vector<unsigned> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<unsigned>(i * 7919) % (highest + 1));
    values.front() = highest;
    values.back() = 0;
    return values;
}

int to_8_bits(unsigned value, int depth) { return static_cast<int>(std::lround(value * 255.0 / ((1u << depth) - 1))); }

int over_white(int value, int alpha) {
    return static_cast<int>(std::lround((value * alpha + 255.0 * (255 - alpha)) / 255));
}

// Every channel of every pixel against expected(pixel, channel).
void check_pixels(const Image& image, const std::function<int(std::size_t, std::size_t)>& expected) {
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        INFO("pixel " << i / 3 << ", channel " << i % 3);
        REQUIRE(int{image.rgb[i]} == expected(i / 3, i % 3));
    }
}

}  // namespace

TEST_CASE("PNG grey of every depth is spread over 0 to 255", "[preprocess][png]") {
    const int depth = GENERATE(1, 2, 4, 8, 16);
    const bool interlaced = GENERATE(false, true);
    const auto samples = ramp(13 * 11, depth);
    const File file =
        png(13, 11, pack(samples, 13, depth), {.colours = PngColours::grey, .depth = depth, .interlaced = interlaced});
    const DecodedPhoto photo = decode(file, 11);
    REQUIRE(photo.width == 13);
    REQUIRE(photo.height == 11);
    check_pixels(photo.image, [&](std::size_t i, std::size_t) { return to_8_bits(samples[i], depth); });
}

TEST_CASE("PNG colour of 8 and 16 bits", "[preprocess][png]") {
    const int depth = GENERATE(8, 16);
    const bool interlaced = GENERATE(false, true);
    const auto samples = ramp(13 * 11 * 3, depth);
    const File file = png(13, 11, pack(samples, 39, depth), {.depth = depth, .interlaced = interlaced});
    check_pixels(decode(file, 11).image,
                 [&](std::size_t i, std::size_t c) { return to_8_bits(samples[3 * i + c], depth); });
}

TEST_CASE("PNG palettes of every depth, with transparent entries over white", "[preprocess][png]") {
    const int depth = GENERATE(1, 2, 4, 8);
    const bool transparent = GENERATE(false, true);
    std::vector<std::array<std::uint8_t, 4>> palette;
    for (unsigned i = 0; i < 1u << depth; ++i) {
        const auto value = static_cast<std::uint8_t>(i * 37 + 5);
        palette.push_back({value, static_cast<std::uint8_t>(255 - value), 100,
                           transparent ? static_cast<std::uint8_t>(i * 91) : std::uint8_t{255}});
    }
    const auto samples = ramp(13 * 11, depth);
    const PngOptions options{.colours = PngColours::palette, .depth = depth, .palette = palette};
    check_pixels(decode(png(13, 11, pack(samples, 13, depth), options), 11).image, [&](std::size_t i, std::size_t c) {
        return over_white(palette[samples[i]][c], palette[samples[i]][3]);
    });
}

TEST_CASE("PNG alpha goes over white", "[preprocess][png]") {
    const bool interlaced = GENERATE(false, true);
    const auto samples = ramp(16 * 16 * 4, 8);
    const File rgba = png(16, 16, pack(samples, 64, 8), {.colours = PngColours::rgba, .interlaced = interlaced});
    check_pixels(decode(rgba, 16).image, [&](std::size_t i, std::size_t c) {
        return over_white(static_cast<int>(samples[4 * i + c]), static_cast<int>(samples[4 * i + 3]));
    });
    const File grey = png(32, 16, pack(samples, 64, 8), {.colours = PngColours::grey_alpha, .interlaced = interlaced});
    check_pixels(decode(grey, 16).image, [&](std::size_t i, std::size_t) {
        return over_white(static_cast<int>(samples[2 * i]), static_cast<int>(samples[2 * i + 1]));
    });
}

TEST_CASE("PNG alpha of 16 bits goes over white", "[preprocess][png]") {
    const auto samples = ramp(16 * 16 * 4, 16);
    const Image image =
        decode(png(16, 16, pack(samples, 64, 16), {.colours = PngColours::rgba, .depth = 16}), 16).image;
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        const double alpha = samples[4 * (i / 3) + 3] / 65535.0;
        const double exact = samples[4 * (i / 3) + i % 3] / 65535.0 * alpha + (1 - alpha);
        REQUIRE(std::abs(image.rgb[i] - 255 * exact) <= 1.1);  // both are rounded to 8 bits first
    }
}

TEST_CASE("PNG's one transparent colour is white", "[preprocess][png]") {
    const int depth = GENERATE(8, 16);
    const unsigned clear = depth == 8 ? 40 : 10000;
    const std::vector<unsigned> greys{clear, clear + 1, 0, clear};
    const PngOptions grey{.colours = PngColours::grey,
                          .depth = depth,
                          .clear = {{static_cast<std::uint16_t>(clear), static_cast<std::uint16_t>(clear),
                                     static_cast<std::uint16_t>(clear)}}};
    check_pixels(decode(png(4, 1, pack(greys, 4, depth), grey), 1).image,
                 [&](std::size_t i, std::size_t) { return greys[i] == clear ? 255 : to_8_bits(greys[i], depth); });
    const std::vector<unsigned> colours{clear, 7, 9, clear, 7, 8};  // the second differs in blue
    const PngOptions rgb{.depth = depth, .clear = {{static_cast<std::uint16_t>(clear), 7, 9}}};
    check_pixels(decode(png(2, 1, pack(colours, 6, depth), rgb), 1).image,
                 [&](std::size_t i, std::size_t c) { return i == 0 ? 255 : to_8_bits(colours[3 + c], depth); });
}

TEST_CASE("a PNG whose first chunk is no header is damaged, whatever size it seems to have", "[preprocess][png]") {
    File file = png(scene(8, 8));
    overwrite(file, 12, text("CgBI"));
    overwrite(file, 16, {0, 0, 0, 0});
    CHECK(error_of(file).kind() == PhotoErrorKind::damaged);
}
