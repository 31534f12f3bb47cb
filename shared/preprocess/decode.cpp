// Tells the format by its first bytes, hands the photo to its decoder and turns the result upright.
#include "shared/preprocess/decode.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "shared/preprocess/decoders.hpp"
#include "shared/preprocess/exif.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

bool has(Bytes bytes, std::size_t at, std::string_view magic) {
    return at <= bytes.size() && magic.size() <= bytes.size() - at &&
           std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// Picture formats that people try and that are not read: named, so that the message can help.
std::string_view unsupported_format(Bytes bytes) {
    struct Signature {
        std::size_t at;
        std::string_view magic;
        std::string_view format;
    };
    using namespace std::string_view_literals;
    constexpr std::array<Signature, 16> signatures{{
        {4, "ftypheic", "HEIC"},
        {4, "ftypheix", "HEIC"},
        {4, "ftypheim", "HEIC"},
        {4, "ftypmif1", "HEIF"},
        {4, "ftypmsf1", "HEIF"},
        {4, "ftypavif", "AVIF"},
        {4, "ftypavis", "AVIF"},
        {0, "GIF87a", "GIF"},
        {0, "GIF89a", "GIF"},
        {0, "II*\0"sv, "TIFF"},
        {0, "MM\0*"sv, "TIFF"},
        {0, "%PDF-", "PDF"},
        {0, "\xFF\x0A"sv, "JPEG XL"},
        {0, "\0\0\0\x0CJXL "sv, "JPEG XL"},
        {0, "\0\0\0\x0CjP  "sv, "JPEG 2000"},
        {0, "8BPS", "Photoshop"},
    }};
    const auto found = std::find_if(signatures.begin(), signatures.end(),
                                    [&](const Signature& s) { return has(bytes, s.at, s.magic); });
    return found == signatures.end() ? std::string_view{} : found->format;
}

StoredImage decode_stored(Bytes bytes, int short_side) {
    if (bytes.empty()) throw PhotoError(PhotoErrorKind::empty, "This file is empty. Choose a photo.");
    if (has(bytes, 0, "\xFF\xD8")) return decode_jpeg(bytes, short_side);
    if (has(bytes, 0, "\x89PNG\r\n\x1A\n")) return decode_png(bytes);
    if (has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP")) return decode_webp(bytes);
    if (has(bytes, 0, "BM")) return decode_bmp(bytes);
    if (const auto format = unsupported_format(bytes); !format.empty()) {
        throw PhotoError(PhotoErrorKind::unsupported, "This is a " + std::string(format) +
                                                          " file, which can't be read here. Save it as JPEG or PNG "
                                                          "and choose that.");
    }
    throw PhotoError(PhotoErrorKind::not_an_image,
                     "This file is not a photo that can be read. Choose a JPEG, PNG, WebP or BMP picture.");
}

}  // namespace

void check_size(std::int64_t width, std::int64_t height) {
    const auto size = std::to_string(width) + " x " + std::to_string(height);
    if (width <= 0 || height <= 0) {
        throw PhotoError(PhotoErrorKind::empty, "This picture has no pixels (" + size + "). Choose another one.");
    }
    if (width > max_pixels / height) {
        throw PhotoError(PhotoErrorKind::too_large, "This picture is too large (" + size +
                                                        " pixels; at most 100 megapixels). Make it smaller and "
                                                        "choose it again.");
    }
}

DecodedPhoto decode(Bytes bytes, int short_side) try {
    StoredImage stored = decode_stored(bytes, short_side);
    DecodedPhoto photo{turn_upright(std::move(stored.image), stored.orientation), stored.width, stored.height};
    if (stored.orientation >= 5) std::swap(photo.width, photo.height);
    return photo;
} catch (const std::bad_alloc&) {
    throw PhotoError(PhotoErrorKind::out_of_memory,
                     "This picture needs more memory than there is. Make it smaller and choose it again.");
}

}  // namespace ouaf
