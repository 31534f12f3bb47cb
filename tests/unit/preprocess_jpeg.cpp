// JPEG: every kind that cameras, editors and printers write, and the reduced scales.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "shared/preprocess/decode.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

// Offsets of a marker's 0xFF in a file without such bytes elsewhere (entropy-coded 0xFF is followed by 0).
std::vector<std::size_t> markers(const File& file, std::uint8_t code) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i + 1 < file.size(); ++i) {
        if (file[i] == 0xFF && file[i + 1] == code) found.push_back(i);
    }
    return found;
}

// What inverted inks mean: stored 255 is no ink, and the key darkens the other three.
Image under_key(const Image& stored, unsigned white) {
    Image result = stored;
    for (auto& value : result.rgb) value = static_cast<std::uint8_t>(std::lround(value * white / 255.0));
    return result;
}

constexpr std::uint8_t start_of_scan = 0xDA;
constexpr std::uint8_t application_14 = 0xEE;

}  // namespace

TEST_CASE("a JPEG decodes to the picture it was made of", "[preprocess][jpeg]") {
    const Image image = scene(67, 45);
    const auto error = [&](const JpegOptions& options) {
        return largest_difference(decode(jpeg(image, options), 45).image, image);
    };
    CHECK(error({.quality = 100}) <= 5);
    CHECK(error({.quality = 100, .colours = JpegColours::rgb}) <= 2);
    CHECK(error({.quality = 95}) <= 20);
    CHECK(error({.quality = 100, .halved_chroma = true}) <= 50);  // the disc's edge
    CHECK(largest_difference(decode(jpeg(flat(31, 17, {200, 30, 90})), 17).image, flat(31, 17, {200, 30, 90})) <= 2);
}

TEST_CASE("how a JPEG's coefficients are ordered changes no byte", "[preprocess][jpeg]") {
    const Image image = scene(67, 45);
    for (const bool halved : {false, true}) {
        const Image baseline = decode(jpeg(image, {.halved_chroma = halved}), 45).image;
        const auto same = [&](JpegOptions options) {
            options.halved_chroma = halved;
            return decode(jpeg(image, options), 45).image.rgb == baseline.rgb;
        };
        CHECK(same({.progressive = true}));
        CHECK(same({.scan_per_component = true}));
        CHECK(same({.restart_rows = 1}));
    }
}

TEST_CASE("a grey JPEG has three equal channels", "[preprocess][jpeg]") {
    const Image image = scene(40, 30);
    const Image grey = decode(jpeg(image, {.colours = JpegColours::grey}), 30).image;
    int largest = 0;
    for (std::size_t i = 0; i < grey.rgb.size(); i += 3) {
        REQUIRE(grey.rgb[i] == grey.rgb[i + 1]);
        REQUIRE(grey.rgb[i] == grey.rgb[i + 2]);
        largest = std::max(largest, std::abs(grey.rgb[i] - image.rgb[i + 1]));
    }
    CHECK(largest <= 10);
}

TEST_CASE("inks are inverted and darkened by the key", "[preprocess][jpeg]") {
    const Image image = scene(40, 30);
    for (const std::uint8_t white : {255, 200, 77, 0}) {
        const auto kind = GENERATE(JpegColours::cmyk, JpegColours::ycck);
        INFO("key stored as " << int{white} << ", ycck: " << (kind == JpegColours::ycck));
        File file = jpeg(image, {.quality = 100, .colours = kind, .white = white});
        CHECK(largest_difference(decode(file, 30).image, under_key(image, white)) <= 4);
        if (kind == JpegColours::cmyk) {  // the same without Adobe's marker, as Pillow and browsers read it
            const std::size_t marker = markers(file, application_14).at(0);
            file[marker + 1] = 0xED;  // a marker that nobody reads
            CHECK(largest_difference(decode(file, 30).image, under_key(image, white)) <= 4);
        }
    }
}

TEST_CASE("a large JPEG is decoded at the smallest scale that serves", "[preprocess][jpeg]") {
    struct Case {
        int width, height, short_side, divisor;
    };
    const auto [width, height, short_side, divisor] =
        GENERATE(Case{1600, 1200, 64, 8}, Case{1024, 1024, 64, 8}, Case{1023, 1030, 64, 4}, Case{1600, 1200, 150, 4},
                 Case{1600, 1200, 151, 2}, Case{1600, 1200, 300, 2}, Case{1600, 1200, 301, 1}, Case{90, 1500, 12, 2});
    Image image(width, height);
    for (int y = 0; y < height; ++y) {  // slopes, so that the mean of a block is its middle's value
        for (int x = 0; x < width; ++x) {
            std::uint8_t* out = image.row(y) + std::ptrdiff_t{x} * 3;
            out[0] = static_cast<std::uint8_t>(x * 255 / width);
            out[1] = static_cast<std::uint8_t>(y * 255 / height);
            out[2] = 128;
        }
    }
    const DecodedPhoto photo = decode(jpeg(image, {.halved_chroma = true}), short_side);
    CHECK(photo.width == width);
    CHECK(photo.height == height);
    REQUIRE(photo.image.width == (width + divisor - 1) / divisor);
    REQUIRE(photo.image.height == (height + divisor - 1) / divisor);
    int largest = 0;
    for (int y = 0; y < height / divisor; ++y) {
        for (int x = 0; x < width / divisor; ++x) {
            const Colour seen = pixel(photo.image, x, y);
            largest = std::max(largest, std::abs(seen[0] - (2 * x + 1) * divisor * 255 / (2 * width)));
            largest = std::max(largest, std::abs(seen[1] - (2 * y + 1) * divisor * 255 / (2 * height)));
        }
    }
    CHECK(largest <= 4);
}

TEST_CASE("a turned JPEG reports its upright size at a reduced scale", "[preprocess][jpeg]") {
    const DecodedPhoto photo = decode(jpeg(scene(800, 600), {.exif = exif(6)}), 32);
    CHECK(photo.width == 600);
    CHECK(photo.height == 800);
    CHECK(photo.image.width == 75);
    CHECK(photo.image.height == 100);
}

TEST_CASE("what follows a JPEG is ignored, and a missing end marker forgiven where all pixels came",
          "[preprocess][jpeg]") {
    const Image image = scene(40, 30);
    const File whole = jpeg(image);
    const Image expected = decode(whole, 30).image;
    CHECK(decode(joined({whole, text("a phone's film is appended here")}), 30).image.rgb == expected.rgb);
    CHECK(decode(File(whole.begin(), whole.end() - 2), 30).image.rgb == expected.rgb);
}

TEST_CASE("a JPEG that ends between its scans is incomplete", "[preprocess][jpeg]") {
    for (const JpegOptions& options : {JpegOptions{.progressive = true}, JpegOptions{.scan_per_component = true}}) {
        const File whole = jpeg(scene(40, 30), options);
        const auto scans = markers(whole, start_of_scan);
        REQUIRE(scans.size() >= 3);
        for (std::size_t i = 1; i < scans.size(); ++i) {
            const File cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(scans[i]));
            CHECK(error_of(cut).kind() == PhotoErrorKind::truncated);
        }
    }
}
