// The eight ways of holding a camera, in every format that records them, and EXIF blocks that are broken.
#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "shared/preprocess/decode.hpp"
#include "shared/preprocess/exif.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

// A stored picture of six patches, "ABC" over "DEF", as it must be shown. EXIF 2.32: the orientation says where the
// stored row 0 and column 0 are in the upright picture.
const std::array<std::string, 8> upright{
    "ABC/DEF",   // 1: row 0 at the top, column 0 at the left
    "CBA/FED",   // 2: top, right
    "FED/CBA",   // 3: bottom, right
    "DEF/ABC",   // 4: bottom, left
    "AD/BE/CF",  // 5: left, top
    "DA/EB/FC",  // 6: right, top
    "FC/EB/DA",  // 7: right, bottom
    "CF/BE/AD",  // 8: left, bottom
};

constexpr int patch = 16;  // pixels a side: a block of 4:2:0
const std::array<Colour, 6> colours{
    {{250, 20, 20}, {20, 250, 20}, {20, 20, 250}, {240, 240, 20}, {20, 240, 240}, {128, 128, 128}}};

Image stored_picture() {
    Image image(3 * patch, 2 * patch);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            const Colour& colour = colours[static_cast<std::size_t>(y / patch * 3 + x / patch)];
            std::copy(colour.begin(), colour.end(), image.row(y) + std::ptrdiff_t{x} * 3);
        }
    }
    return image;
}

// Reads the patches back, by their middles.
std::string letters(const Image& image) {
    std::string result;
    for (int y = patch / 2; y < image.height; y += patch) {
        if (!result.empty()) result += '/';
        for (int x = patch / 2; x < image.width; x += patch) {
            const Colour seen = pixel(image, x, y);
            char letter = '?';
            for (std::size_t i = 0; i < colours.size(); ++i) {
                int distance = 0;
                for (std::size_t c = 0; c < 3; ++c) distance += std::abs(seen[c] - colours[i][c]);
                if (distance < 30) letter = static_cast<char>('A' + i);
            }
            result += letter;
        }
    }
    return result;
}

File with_exif(const std::string& format, const File& block) {
    const Image image = stored_picture();
    if (format == "JPEG") return jpeg(image, {.halved_chroma = true, .exif = block});
    if (format == "progressive JPEG") return jpeg(image, {.progressive = true, .exif = block});
    if (format == "PNG") return png(image.width, image.height, image.rgb, {.exif = block});
    return webp_with_exif(webp(image, false), image.width, image.height, block);
}

}  // namespace

TEST_CASE("a photo is shown upright, however the camera was held", "[preprocess][orientation]") {
    const std::string format = GENERATE("JPEG", "progressive JPEG", "PNG", "WebP");
    const bool big = GENERATE(false, true);
    for (int orientation = 1; orientation <= 8; ++orientation) {
        INFO(format << ", orientation " << orientation << (big ? ", big-endian" : ", little-endian"));
        const DecodedPhoto photo = decode(with_exif(format, exif(orientation, big)), 32);
        const std::string& expected = upright[static_cast<std::size_t>(orientation - 1)];
        CHECK(letters(photo.image) == expected);
        CHECK(photo.width == photo.image.width);
        CHECK(photo.height == photo.image.height);
    }
}

TEST_CASE("WebP's EXIF may begin as JPEG's does", "[preprocess][orientation]") {
    const DecodedPhoto photo = decode(with_exif("WebP", joined({text("Exif"), {0, 0}, exif(6)})), 32);
    CHECK(letters(photo.image) == upright[5]);
}

TEST_CASE("turning moves single pixels to where they belong", "[preprocess][orientation]") {
    Image image(3, 2);
    for (std::size_t i = 0; i < 6; ++i) std::fill_n(&image.rgb[3 * i], 3, static_cast<std::uint8_t>('A' + i));
    for (int orientation = 1; orientation <= 8; ++orientation) {
        const Image turned = turn_upright(image, orientation);
        std::string seen;
        for (int y = 0; y < turned.height; ++y) {
            if (y > 0) seen += '/';
            for (int x = 0; x < turned.width; ++x) seen += static_cast<char>(pixel(turned, x, y)[1]);
        }
        CHECK(seen == upright[static_cast<std::size_t>(orientation - 1)]);
    }
}

TEST_CASE("a broken EXIF block leaves the photo as it is stored", "[preprocess][orientation]") {
    const bool big = GENERATE(false, true);
    const auto number = [&](std::uint32_t value, int size) {
        return big ? big_endian(value, size) : little_endian(value, size);
    };
    const File good = exif(6, big);
    REQUIRE(exif_orientation(good) == 6);
    REQUIRE(exif_orientation(joined({text("Exif"), {0, 0}, good})) == 6);
    const auto changed = [&](std::size_t at, const File& bytes) {
        File block = good;
        overwrite(block, at, bytes);
        return exif_orientation(block);
    };
    constexpr std::size_t magic = 2, directory = 4, count = 8, type = 24, value = 30;
    CHECK(exif_orientation({}) == 1);
    CHECK(changed(0, text("XX")) == 1);
    CHECK(changed(magic, number(43, 2)) == 1);
    CHECK(changed(directory, number(0xFFFFFFF0, 4)) == 1);
    CHECK(changed(count, number(1, 2)) == 1);  // the orientation lies beyond the directory
    CHECK(changed(count, number(0xFFFF, 2)) == 6);
    CHECK(changed(type, number(2, 2)) == 1);
    CHECK(changed(value, number(0, 2)) == 1);
    CHECK(changed(value, number(9, 2)) == 1);
    for (std::size_t size = 0; size < value + 2; ++size) {
        INFO("cut to " << size << " bytes");
        CHECK(exif_orientation(std::span(good).first(size)) == 1);
    }
}
