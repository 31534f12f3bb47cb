// BMP: every depth, header and compression, by hand.
#include <catch2/catch.hpp>

#include "shared/preprocess/decode.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

constexpr Colour black{0, 0, 0}, white{255, 255, 255}, red{255, 0, 0}, green{0, 255, 0}, blue{0, 0, 255};
const std::vector<Colour> four_colours{black, red, green, blue};

Image decoded(const File& file) { return decode(file, 1).image; }

std::string refusal(const File& file, PhotoErrorKind kind) {
    const PhotoError error = error_of(file);
    CHECK(name_of(error.kind()) == name_of(kind));
    return error.what();
}

}  // namespace

TEST_CASE("a BMP of 24 bits, bottom up and top down", "[preprocess][bmp]") {
    const Image image = scene(7, 5);  // rows of 21 bytes: three bytes of padding
    CHECK(decoded(bmp(image)).rgb == image.rgb);
    const File rows{0, 0, 255, 0, 255, 0, 0, 0, /**/ 255, 0, 0, 0, 0, 0, 0, 0};
    CHECK(decoded(bmp(2, 2, rows, {})).rgb == from_pixels(2, 2, {blue, black, red, green}).rgb);
    CHECK(decoded(bmp(2, 2, rows, {.top_down = true})).rgb == from_pixels(2, 2, {red, green, blue, black}).rgb);
}

TEST_CASE("a BMP's palette of 1, 4 and 8 bits", "[preprocess][bmp]") {
    const std::uint32_t header = GENERATE(12, 40, 64, 108, 124);
    INFO("a header of " << header << " bytes");
    const auto of_bits = [&](int bits) {
        std::vector<Colour> palette = four_colours;
        // OS/2's palette has no length of its own: it is whole.
        if (header == 12) palette.resize(std::size_t{1} << bits, white);
        return BmpOptions{.bits = bits, .header = header, .palette = palette};
    };
    const Image expected = from_pixels(3, 1, {red, black, red});
    CHECK(decoded(bmp(3, 1, {0b10100000, 0, 0, 0}, of_bits(1))).rgb == expected.rgb);
    const Image colours = from_pixels(3, 1, {blue, red, green});
    CHECK(decoded(bmp(3, 1, {0x31, 0x20, 0, 0}, of_bits(4))).rgb == colours.rgb);
    CHECK(decoded(bmp(3, 1, {3, 1, 2, 0}, of_bits(8))).rgb == colours.rgb);
}

TEST_CASE("a BMP of 16 bits has 5 a colour unless masks say otherwise", "[preprocess][bmp]") {
    // 0x7C00 red, 0x03E0 green, 0x0010 half blue: 16 / 31 of 255 is 131.6
    const File data{0x00, 0x7C, 0xE0, 0x03, 0x10, 0x00, 0, 0};
    CHECK(decoded(bmp(3, 1, data, {.bits = 16})).rgb == from_pixels(3, 1, {red, green, {0, 0, 132}}).rgb);
    // 5-6-5: 0xF800 red, 0x0020 one of 63 greens: 4.05, 0x001F blue
    const File masked{0x00, 0xF8, 0x20, 0x00, 0x1F, 0x00, 0, 0};
    const BmpOptions options{.bits = 16, .compression = 3, .masks = {0xF800, 0x07E0, 0x001F}};
    CHECK(decoded(bmp(3, 1, masked, options)).rgb == from_pixels(3, 1, {red, {0, 4, 0}, blue}).rgb);
}

TEST_CASE("a BMP of 32 bits: masks of every header, in any order", "[preprocess][bmp]") {
    const Image expected = from_pixels(2, 1, {{10, 20, 30}, {200, 150, 100}});
    const File bgrx{30, 20, 10, 0, 100, 150, 200, 0};
    const File rgbx{10, 20, 30, 7, 200, 150, 100, 9};
    CHECK(decoded(bmp(2, 1, bgrx, {.bits = 32})).rgb == expected.rgb);
    for (const std::uint32_t header : {40u, 52u, 56u, 108u, 124u}) {
        INFO("a header of " << header << " bytes");
        const BmpOptions options{.bits = 32, .compression = 3, .header = header, .masks = {0xFF, 0xFF00, 0xFF0000}};
        CHECK(decoded(bmp(2, 1, rgbx, options)).rgb == expected.rgb);
    }
    const BmpOptions ten_bits{.bits = 32, .compression = 3, .masks = {0x3FF, 0xFFC00, 0x3FF00000}};
    const File deep = little_endian(1023u | 512u << 10 | 1u << 20, 4);  // 512 / 1023 of 255 is 127.6; 1 / 1023 is 0.2
    CHECK(pixel(decoded(bmp(1, 1, deep, ten_bits)), 0, 0) == Colour{255, 128, 0});
    const BmpOptions no_green{.bits = 32, .compression = 3, .masks = {0xFF, 0, 0xFF0000}};
    CHECK(pixel(decoded(bmp(1, 1, {10, 20, 30, 0}, no_green)), 0, 0) == Colour{10, 0, 30});
}

TEST_CASE("a BMP's alpha goes over white, and is ignored where it is 0 everywhere", "[preprocess][bmp]") {
    const BmpOptions options{
        .bits = 32, .compression = 3, .header = 124, .masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000}};
    // 100 * 128 / 255 + 255 * 127 / 255 is 177.2
    const File half{100, 100, 100, 128, 1, 2, 3, 0};
    CHECK(decoded(bmp(2, 1, half, options)).rgb == from_pixels(2, 1, {{177, 177, 177}, white}).rgb);
    const File none{100, 100, 100, 0, 1, 2, 3, 0};
    CHECK(decoded(bmp(2, 1, none, options)).rgb == from_pixels(2, 1, {{100, 100, 100}, {3, 2, 1}}).rgb);
    const BmpOptions after_header{
        .bits = 32, .compression = 6, .masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000}};  // BI_ALPHABITFIELDS
    CHECK(decoded(bmp(2, 1, half, after_header)).rgb == from_pixels(2, 1, {{177, 177, 177}, white}).rgb);
}

TEST_CASE("a BMP of 8-bit run lengths: runs, literals, moves, ends", "[preprocess][bmp]") {
    const BmpOptions options{.bits = 8, .compression = 1, .palette = four_colours};
    // Bottom row: two red, then three literals (padded to four bytes), the end of the row.
    // Second row: a move by 1 to the right and 1 up, then one blue; the end of the picture.
    const File runs{2, 1, 0, 3, 2, 3, 1, 0, 0, 0, /**/ 0, 2, 1, 1, 1, 3, 0, 1};
    const Image expected = from_pixels(
        5, 3, {black, blue, black, black, black, black, black, black, black, black, red, red, green, blue, red});
    CHECK(decoded(bmp(5, 3, runs, options)).rgb == expected.rgb);
    // Rows that are full end the picture without its end marker.
    CHECK(decoded(bmp(2, 2, {2, 1, 0, 0, 2, 2, 0, 0}, options)).rgb == from_pixels(2, 2, {green, green, red, red}).rgb);
}

TEST_CASE("a BMP of 4-bit run lengths alternates two colours", "[preprocess][bmp]") {
    const BmpOptions options{.bits = 4, .compression = 2, .palette = four_colours};
    // Three of red and green in turn, then five literals in three bytes and one of padding.
    const File runs{3, 0x12, 0, 5, 0x32, 0x10, 0x30, 0, 0, 1};
    CHECK(decoded(bmp(8, 1, runs, options)).rgb ==
          from_pixels(8, 1, {red, green, red, blue, green, red, black, blue}).rgb);
}

TEST_CASE("a BMP that contradicts itself is refused", "[preprocess][bmp]") {
    const BmpOptions indexed{.bits = 8, .palette = four_colours};
    CHECK_THAT(refusal(bmp(1, 1, {4, 0, 0, 0}, indexed), PhotoErrorKind::damaged),
               Catch::Contains("outside the palette"));
    const BmpOptions runs{.bits = 8, .compression = 1, .palette = four_colours};
    CHECK_THAT(refusal(bmp(2, 1, {3, 1, 0, 1}, runs), PhotoErrorKind::damaged), Catch::Contains("beyond the edge"));
    CHECK_THAT(refusal(bmp(2, 2, {2, 1}, runs), PhotoErrorKind::truncated), Catch::Contains("incomplete"));
}

TEST_CASE("a BMP of an unknown kind is named as such", "[preprocess][bmp]") {
    const auto unsupported = [](const BmpOptions& options) {
        return refusal(bmp(1, 1, {0, 0, 0, 0}, options), PhotoErrorKind::unsupported);
    };
    CHECK_THAT(unsupported({.compression = 4}), Catch::Contains("24 bits a pixel, compression 4"));
    CHECK_THAT(unsupported({.bits = 2}), Catch::Contains("2 bits a pixel"));
    CHECK_THAT(unsupported({.bits = 4, .compression = 1}), Catch::Contains("4 bits a pixel, compression 1"));
    CHECK_THAT(unsupported({.bits = 8, .compression = 1, .top_down = true}), Catch::Contains("compression 1"));
    CHECK_THAT(unsupported({.header = 16}), Catch::Contains("a header of 16 bytes"));
}

TEST_CASE("a BMP's last row may lack its padding, nothing else", "[preprocess][bmp]") {
    File file = bmp(scene(7, 5));
    file.resize(file.size() - 3);
    CHECK(decoded(file).rgb == scene(7, 5).rgb);
    file.pop_back();
    CHECK(error_of(file).kind() == PhotoErrorKind::truncated);
}
