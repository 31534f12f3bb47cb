// PNG through libpng: every colour type and depth, palettes, interlacing; transparent parts over white.
#include <csetjmp>
#include <cstddef>

#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "shared/preprocess/decoders.hpp"
#include "shared/preprocess/exif.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

struct Decoder {
    png_structp png = nullptr;
    png_infop info = nullptr;
    Bytes rest;
    bool ran_out = false;
    std::string message;

    explicit Decoder(Bytes bytes) : rest(bytes) { message.reserve(200); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
    static_cast<Decoder*>(png_get_error_ptr(png))->message.assign(text, strnlen(text, 150));
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read(png_structp png, png_bytep out, std::size_t count) {
    auto& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
    if (count > decoder.rest.size()) {
        decoder.ran_out = true;
        png_error(png, "end of file");
    }
    std::memcpy(out, decoder.rest.data(), count);
    decoder.rest = decoder.rest.subspan(count);
}

// Each step may jump: true when it came through.
bool read_header(Decoder& decoder) {
    if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
    png_read_info(decoder.png, decoder.info);
    return true;
}

// Asks libpng for 8-bit RGB or RGBA whatever is stored.
bool set_output(Decoder& decoder) {
    if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
    png_set_expand(decoder.png);    // palettes, 1, 2 and 4 bits, tRNS
    png_set_scale_16(decoder.png);  // 16 bits to 8, rounded
    png_set_gray_to_rgb(decoder.png);
    png_set_interlace_handling(decoder.png);
    png_read_update_info(decoder.png, decoder.info);
    return true;
}

bool read_rows(Decoder& decoder, png_bytep* rows) {
    if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
    png_read_image(decoder.png, rows);
    return true;
}

[[noreturn]] void fail(const Decoder& decoder) {
    if (decoder.message.find("memory") != std::string::npos) throw std::bad_alloc();
    if (decoder.ran_out) {
        throw PhotoError(PhotoErrorKind::truncated,
                         "This PNG picture is incomplete: the file ends too early. Copy or download it again.");
    }
    throw PhotoError(PhotoErrorKind::damaged,
                     "This PNG picture is damaged (" + decoder.message + "). Copy or download it again.");
}

int stored_orientation(const Decoder& decoder) {
    png_bytep block = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(decoder.png, decoder.info, &size, &block) == 0) return 1;
    return exif_orientation(Bytes(block, size));
}

// libpng refuses a size of 0 or beyond its own limits with a message of its own: the header chunk is looked at first.
void check_header_size(Bytes bytes) {
    constexpr std::array<std::uint8_t, 4> header{'I', 'H', 'D', 'R'};
    if (bytes.size() < 24 || !std::equal(header.begin(), header.end(), &bytes[12])) return;  // libpng will say why not
    const auto number = [&](std::size_t at) {
        return (std::int64_t{bytes[at]} << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    };
    check_size(number(16), number(20));
}

}  // namespace

StoredImage decode_png(Bytes bytes) {
    check_header_size(bytes);
    Decoder decoder(bytes);
    decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
    if (decoder.png == nullptr) throw std::bad_alloc();
    decoder.info = png_create_info_struct(decoder.png);
    if (decoder.info == nullptr) throw std::bad_alloc();
    png_set_user_limits(decoder.png, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_read_fn(decoder.png, &decoder, read);
    if (!read_header(decoder) || !set_output(decoder)) fail(decoder);

    const auto width = png_get_image_width(decoder.png, decoder.info);
    const auto height = png_get_image_height(decoder.png, decoder.info);
    check_size(width, height);  // again: libpng takes a header that comes after chunks nobody knows
    StoredImage stored{Image(static_cast<int>(width), static_cast<int>(height)), static_cast<int>(width),
                       static_cast<int>(height), stored_orientation(decoder)};

    const bool transparent = png_get_channels(decoder.png, decoder.info) == 4;
    const std::size_t stride = png_get_rowbytes(decoder.png, decoder.info);
    std::vector<std::uint8_t> four(transparent ? stride * height : 0);
    std::vector<png_bytep> rows(height);
    for (std::size_t y = 0; y < height; ++y) {
        rows[y] = (transparent ? four.data() : stored.image.rgb.data()) + y * stride;
    }
    if (!read_rows(decoder, rows.data())) fail(decoder);
    for (std::size_t i = 0; i < four.size() / 4; ++i) {
        for (std::size_t c = 0; c < 3; ++c) stored.image.rgb[3 * i + c] = over_white(four[4 * i + c], four[4 * i + 3]);
    }
    return stored;
}

}  // namespace ouaf
