// WebP: lossy, lossless, transparent, animated.
#include <catch2/catch.hpp>
#include <cmath>

#include "shared/preprocess/decode.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

TEST_CASE("a lossless WebP decodes to the picture it was made of", "[preprocess][webp]") {
    const Image image = scene(67, 45);
    const DecodedPhoto photo = decode(webp(image, true), 45);
    CHECK(photo.width == 67);
    CHECK(photo.height == 45);
    CHECK(photo.image.rgb == image.rgb);
}

TEST_CASE("a lossy WebP decodes to nearly the picture it was made of", "[preprocess][webp]") {
    const Image image = scene(66, 44);
    CHECK(largest_difference(decode(webp(image, false), 44).image, image) <=
          60);  // chroma at half size: the disc's edge
    const Image one_colour = flat(31, 17, {200, 30, 90});
    CHECK(largest_difference(decode(webp(one_colour, false), 17).image, one_colour) <= 4);
}

TEST_CASE("a transparent WebP goes over white", "[preprocess][webp]") {
    const bool lossless = GENERATE(true, false);
    File rgba;
    for (unsigned i = 0; i < 16 * 16; ++i) {
        rgba.insert(rgba.end(), {120, 60, 20, static_cast<std::uint8_t>(i)});
    }
    const Image image = decode(webp(16, 16, rgba, lossless), 16).image;
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        const int alpha = rgba[i / 3 * 4 + 3];
        const double exact = (rgba[i / 3 * 4 + i % 3] * alpha + 255.0 * (255 - alpha)) / 255;
        INFO("pixel " << i / 3 << ", channel " << i % 3);
        REQUIRE(std::abs(image.rgb[i] - exact) <= (lossless ? 0.5 : 8));
    }
}

TEST_CASE("of an animated WebP the first frame is read, where it stands, over white", "[preprocess][webp]") {
    const Image first = scene(20, 12), second = flat(40, 30, {1, 2, 3});
    const DecodedPhoto photo =
        decode(webp_animation(40, 30, {{6, 8, 20, 12, webp(first, true)}, {0, 0, 40, 30, webp(second, true)}}), 30);
    REQUIRE(photo.width == 40);
    REQUIRE(photo.height == 30);
    Image expected = flat(40, 30, {255, 255, 255});
    for (int y = 0; y < 12; ++y) std::copy_n(first.row(y), 20 * 3, expected.row(8 + y) + 6 * 3);
    CHECK(photo.image.rgb == expected.rgb);
}

TEST_CASE("a WebP frame outside its canvas is damage", "[preprocess][webp]") {
    const File file = webp_animation(40, 30, {{30, 8, 20, 12, webp(scene(20, 12), true)}});
    CHECK(error_of(file).kind() == PhotoErrorKind::damaged);
}
