// Files that are no photo, or not a whole one: each gets its kind of error and a message that helps.
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "shared/preprocess/decode.hpp"
#include "shared/preprocess/decoders.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

void check_refused(const std::string& what, const File& file, PhotoErrorKind kind, const std::string& message) {
    INFO(what);
    const PhotoError error = error_of(file);
    CHECK(name_of(error.kind()) == name_of(kind));
    CHECK_THAT(error.what(), Catch::Contains(message));
}

// Pictures of 8 x 8 whose header says something else.
File sized_jpeg(std::uint32_t width, std::uint32_t height, bool progressive = false) {
    File file = jpeg(scene(8, 8), {.progressive = progressive});
    const File start_of_frame{0xFF, static_cast<std::uint8_t>(progressive ? 0xC2 : 0xC0)};
    const auto frame = std::search(file.begin(), file.end(), start_of_frame.begin(), start_of_frame.end());
    overwrite(file, static_cast<std::size_t>(frame - file.begin()) + 5,
              joined({big_endian(height, 2), big_endian(width, 2)}));
    return file;
}

File sized_png(std::uint32_t width, std::uint32_t height) {
    File file = png(scene(8, 8));
    overwrite(file, 16, joined({big_endian(width, 4), big_endian(height, 4)}));
    return file;
}

File sized_bmp(std::uint32_t width, std::uint32_t height) {
    File file = bmp(scene(8, 8));
    overwrite(file, 18, joined({little_endian(width, 4), little_endian(height, 4)}));
    return file;
}

File sized_lossy_webp(std::uint32_t width, std::uint32_t height) {
    File file = webp(scene(8, 8), false);
    overwrite(file, 26, joined({little_endian(width, 2), little_endian(height, 2)}));
    return file;
}

File sized_lossless_webp(std::uint32_t width, std::uint32_t height) {
    File file = webp(scene(8, 8), true);
    overwrite(file, 21, little_endian((width - 1) | (height - 1) << 14, 4));
    return file;
}

File sized_animated_webp(std::uint32_t width, std::uint32_t height) {
    File file = webp_animation(8, 8, {{0, 0, 8, 8, webp(scene(8, 8), true)}});
    overwrite(file, 24, joined({little_endian(width - 1, 3), little_endian(height - 1, 3)}));
    return file;
}

File png_chunk(const File& name, const File& data) {
    const File checked = joined({name, data});
    const auto crc = static_cast<std::uint32_t>(crc32(0, checked.data(), static_cast<unsigned>(checked.size())));
    return joined({big_endian(static_cast<std::uint32_t>(data.size()), 4), checked, big_endian(crc, 4)});
}

// A chunk that nobody knows stands where the header belongs, and looks like one of 8 x 8.
File png_with_late_header(std::uint32_t width, std::uint32_t height) {
    const File size = joined({big_endian(width, 4), big_endian(height, 4), {8, 2, 0, 0, 0}});
    const File whole = png(scene(8, 8));
    return joined({File(whole.begin(), whole.begin() + 8), png_chunk(text("abCd"), {0, 0, 0, 8, 0, 0, 0, 8}),
                   png_chunk(text("IHDR"), size), File(whole.begin() + 33, whole.end())});
}

long peak_memory_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("what is no photo is refused by name", "[preprocess][errors]") {
    using enum PhotoErrorKind;
    check_refused("no bytes", {}, empty, "This file is empty. Choose a photo.");
    const std::string no_photo = "not a photo that can be read. Choose a JPEG, PNG, WebP or BMP";
    check_refused("text", text("Dear dog, this is a letter."), not_an_image, no_photo);
    check_refused("a byte", {0xFF}, not_an_image, no_photo);
    check_refused("a page", text("<!doctype html><title>404</title>"), not_an_image, no_photo);
    check_refused("RIFF that is sound", text("RIFF\x10\x20\x30\x40WAVEfmt "), not_an_image, no_photo);
    check_refused("zeros", File(1000), not_an_image, no_photo);
}

TEST_CASE("picture formats that are not read are named", "[preprocess][errors]") {
    using namespace std::string_view_literals;
    const std::vector<std::pair<std::string_view, std::string>> files{
        {"GIF87a\1\0\1\0"sv, "GIF"},
        {"GIF89a\1\0\1\0"sv, "GIF"},
        {"\0\0\0\x18"
         "ftypheic\0\0"sv,
         "HEIC"},
        {"\0\0\0\x18"
         "ftypheix\0\0"sv,
         "HEIC"},
        {"\0\0\0\x18"
         "ftypmif1\0\0"sv,
         "HEIF"},
        {"\0\0\0\x18"
         "ftypavif\0\0"sv,
         "AVIF"},
        {"II*\0\x08\0\0\0"sv, "TIFF"},
        {"MM\0*\0\0\0\x08"sv, "TIFF"},
        {"%PDF-1.7"sv, "PDF"},
        {"\xFF\x0A\x00"sv, "JPEG XL"},
        {"\0\0\0\x0CJXL \r\n"sv, "JPEG XL"},
        {"\0\0\0\x0CjP  \r\n"sv, "JPEG 2000"},
        {"8BPS\0\1"sv, "Photoshop"},
    };
    for (const auto& [bytes, format] : files) {
        check_refused(format, text(bytes), PhotoErrorKind::unsupported,
                      "This is a " + format + " file, which can't be read here. Save it as JPEG or PNG");
    }
}

TEST_CASE("JPEGs that browsers can't show either are unsupported, not damaged", "[preprocess][errors]") {
    using enum PhotoErrorKind;
    File deep = jpeg(scene(8, 8));
    const File baseline{0xFF, 0xC0}, twelve_bits{0xFF, 0xC1, 0x00, 0x11, 12};
    const auto frame = static_cast<std::size_t>(
        std::search(deep.begin(), deep.end(), baseline.begin(), baseline.end()) - deep.begin());
    File hierarchical = deep;
    overwrite(deep, frame, twelve_bits);
    check_refused("12 bits", deep, unsupported, "12 bits a colour; only 8 can be read");
    hierarchical[frame + 1] = 0xC5;
    check_refused("hierarchical", hierarchical, unsupported, "Unsupported JPEG process");
}

TEST_CASE("a file that ends too early is incomplete, at whatever byte it ends", "[preprocess][errors]") {
    for (const auto& [name, file] : small_files()) {
        const DecodedPhoto whole = decode(file, 17);
        std::size_t pictures = 0;
        for (std::size_t size = 0; size < file.size(); ++size) {
            INFO(name << " cut to " << size << " of " << file.size() << " bytes");
            const File cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
            try {
                const DecodedPhoto photo = decode(cut, 17);
                REQUIRE(photo.image.rgb == whole.image.rgb);  // only what follows the picture is missing
                ++pictures;
            } catch (const PhotoError& error) {
                const auto kind = error.kind();
                const bool too_short_to_tell = size < 12 && kind == PhotoErrorKind::not_an_image;
                const bool nothing = size == 0 && kind == PhotoErrorKind::empty;
                INFO(name_of(kind) << ": " << error.what());
                REQUIRE((kind == PhotoErrorKind::truncated || too_short_to_tell || nothing));
            }
        }
        INFO(name);
        CHECK(pictures <= 16);
    }
}

TEST_CASE("pictures without pixels are refused", "[preprocess][errors]") {
    using enum PhotoErrorKind;
    check_refused("JPEG 0 x 8", sized_jpeg(0, 8), empty, "no pixels (0 x 8)");
    check_refused("JPEG 8 x 0", sized_jpeg(8, 0), empty, "no pixels (8 x 0)");
    check_refused("PNG 0 x 8", sized_png(0, 8), empty, "no pixels (0 x 8)");
    check_refused("PNG 8 x 0", sized_png(8, 0), empty, "no pixels (8 x 0)");
    check_refused("BMP 0 x 8", sized_bmp(0, 8), empty, "no pixels (0 x 8)");
    check_refused("BMP 8 x 0", sized_bmp(8, 0), empty, "no pixels (8 x 0)");
    check_refused("BMP -8 x 8", sized_bmp(0xFFFFFFF8, 8), empty, "no pixels (-8 x 8)");
    check_refused("WebP 0 x 8", sized_lossy_webp(0, 8), damaged, "This WebP picture is damaged");
}

TEST_CASE("pictures of more than 100 megapixels are refused before memory is asked for", "[preprocess][errors]") {
    const long before = peak_memory_kib();
    const std::string advice = "too large (20000 x 20000 pixels; at most 100 megapixels). Make it smaller";
    using enum PhotoErrorKind;
    check_refused("JPEG", sized_jpeg(20000, 20000), too_large, advice);
    check_refused("progressive JPEG", sized_jpeg(20000, 20000, true), too_large, advice);
    check_refused("PNG", sized_png(20000, 20000), too_large, advice);
    check_refused("PNG with a late header", png_with_late_header(20000, 20000), too_large, advice);
    check_refused("BMP", sized_bmp(20000, 20000), too_large, advice);
    check_refused("animated WebP", sized_animated_webp(20000, 20000), too_large, advice);
    check_refused("lossy WebP", sized_lossy_webp(16383, 16383), too_large, "(16383 x 16383 pixels");
    check_refused("lossless WebP", sized_lossless_webp(16384, 16384), too_large, "(16384 x 16384 pixels");
    CHECK(peak_memory_kib() - before < 100'000);  // the pixels would take 1.2 GB
}

TEST_CASE("the sizes that formats can hold at most are refused in good order", "[preprocess][errors]") {
    using enum PhotoErrorKind;
    check_refused("JPEG", sized_jpeg(65535, 65535), too_large, "65535 x 65535");
    check_refused("a JPEG wider than libjpeg reads", sized_jpeg(65535, 8), unsupported, "65500 pixels");
    check_refused("PNG", sized_png(0x7FFFFFFF, 0x7FFFFFFF), too_large, "2147483647 x 2147483647");
    check_refused("PNG beyond its own limit", sized_png(0xFFFFFFFF, 0xFFFFFFFF), too_large, "4294967295 x 4294967295");
    check_refused("BMP", sized_bmp(0x7FFFFFFF, 0x7FFFFFFF), too_large, "2147483647 x 2147483647");
    check_refused("BMP, top down", sized_bmp(0x7FFFFFFF, 0x80000000), too_large, "2147483647 x 2147483648");
}

TEST_CASE("a small file with a large header does not take the large picture's memory", "[preprocess][errors]") {
    const long before = peak_memory_kib();
    check_refused("BMP", sized_bmp(9999, 9999), PhotoErrorKind::truncated, "incomplete");
    CHECK(peak_memory_kib() - before < 100'000);
}

TEST_CASE("100 megapixels are allowed, in any shape; one more is not", "[preprocess][errors]") {
    CHECK_NOTHROW(check_size(10'000, 10'000));
    CHECK_NOTHROW(check_size(1, max_pixels));
    CHECK_NOTHROW(check_size(max_pixels, 1));
    CHECK_THROWS_AS(check_size(10'001, 10'000), PhotoError);
    CHECK_THROWS_AS(check_size(1, max_pixels + 1), PhotoError);
    CHECK_THROWS_AS(check_size(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()),
                    PhotoError);
}
