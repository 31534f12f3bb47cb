// BMP: every header from OS/2's to version 5, palettes, 16 to 32 bits with or without masks, run lengths.
// Layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <string>

#include "shared/preprocess/decoders.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

[[noreturn]] void fail_truncated() {
    throw PhotoError(PhotoErrorKind::truncated,
                     "This BMP picture is incomplete: the file ends too early. Copy or download it again.");
}
[[noreturn]] void fail_damaged(const std::string& what) {
    throw PhotoError(PhotoErrorKind::damaged, "This BMP picture is damaged (" + what + "). Copy or download it again.");
}
[[noreturn]] void fail_unsupported(const std::string& what) {
    throw PhotoError(PhotoErrorKind::unsupported,
                     "This BMP picture is stored in a way that can't be read (" + what + "). Save it as JPEG or PNG.");
}

std::uint32_t little(Bytes bytes, std::size_t at, std::size_t size) {
    if (at > bytes.size() || size > bytes.size() - at) fail_truncated();
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint32_t{bytes[at + i]} << (8 * i);
    return value;
}

enum Compression : std::uint32_t { plain = 0, run_length_8 = 1, run_length_4 = 2, masked = 3, masked_with_alpha = 6 };

// One colour of a 16- to 32-bit pixel. Without a mask it is 0.
struct Channel {
    std::uint32_t mask = 0;

    std::uint8_t value(std::uint32_t pixel) const {
        if (mask == 0) return 0;
        const std::uint64_t top = mask >> std::countr_zero(mask);
        const std::uint64_t bits = (pixel & mask) >> std::countr_zero(mask);
        return static_cast<std::uint8_t>((bits * 255 + top / 2) / top);
    }
};

struct Header {
    std::int64_t width = 0;
    std::int64_t height = 0;
    bool top_down = false;
    unsigned bits = 0;  // a pixel
    std::uint32_t compression = plain;
    std::size_t pixels_at = 0;
    std::array<Channel, 4> channels;  // red, green, blue, alpha
    std::array<std::array<std::uint8_t, 3>, 256> palette{};
    std::size_t colours = 0;
};

void read_masks(Header& header, Bytes bytes, std::size_t info_size) {
    if (header.compression == plain) {
        header.channels = header.bits == 16 ? std::array<Channel, 4>{{{0x7C00}, {0x03E0}, {0x001F}, {0}}}
                                            : std::array<Channel, 4>{{{0xFF0000}, {0xFF00}, {0xFF}, {0}}};
        return;
    }
    const bool alpha = info_size >= 56 || header.compression == masked_with_alpha;
    for (std::size_t c = 0; c < (alpha ? 4u : 3u); ++c) header.channels[c].mask = little(bytes, 54 + 4 * c, 4);
}

void read_palette(Header& header, Bytes bytes, std::size_t info_size) {
    const bool small = info_size == 12;
    const std::size_t limit = std::size_t{1} << header.bits;
    const std::size_t used = small ? 0 : little(bytes, 46, 4);
    header.colours = used == 0 ? limit : std::min(used, limit);
    const std::size_t entry = small ? 3 : 4, start = 14 + info_size;
    for (std::size_t i = 0; i < header.colours; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            header.palette[i][c] = static_cast<std::uint8_t>(little(bytes, start + i * entry + 2 - c, 1));
        }
    }
}

Header read_header(Bytes bytes) {
    Header header;
    header.pixels_at = little(bytes, 10, 4);
    const std::size_t info_size = little(bytes, 14, 4);
    if (info_size == 12) {
        header.width = little(bytes, 18, 2);
        header.height = little(bytes, 20, 2);
        header.bits = little(bytes, 24, 2);
    } else if (info_size >= 40 && info_size <= 124) {
        header.width = static_cast<std::int32_t>(little(bytes, 18, 4));
        header.height = static_cast<std::int32_t>(little(bytes, 22, 4));
        header.bits = little(bytes, 28, 2);
        header.compression = little(bytes, 30, 4);
        header.top_down = header.height < 0;
        if (header.top_down) header.height = -header.height;
    } else {
        fail_unsupported("a header of " + std::to_string(info_size) + " bytes");
    }
    check_size(header.width, header.height);

    const auto bits = header.bits;
    const bool indexed = bits == 1 || bits == 4 || bits == 8;
    const bool direct = bits == 16 || bits == 24 || bits == 32;
    const bool fits =
        (header.compression == plain && (indexed || direct)) ||
        (header.compression == run_length_8 && bits == 8 && !header.top_down) ||
        (header.compression == run_length_4 && bits == 4 && !header.top_down) ||
        ((header.compression == masked || header.compression == masked_with_alpha) && (bits == 16 || bits == 32));
    if (!fits) {
        fail_unsupported(std::to_string(bits) + " bits a pixel, compression " + std::to_string(header.compression));
    }
    if (indexed) read_palette(header, bytes, info_size);
    else read_masks(header, bytes, info_size);
    return header;
}

// Where row `y` of the file (0 is the first stored) goes in the upright picture.
std::uint8_t* row_of(Image& image, const Header& header, std::int64_t y) {
    return image.row(static_cast<int>(header.top_down ? y : header.height - 1 - y));
}

void put_colour(std::uint8_t* out, const Header& header, std::size_t index) {
    if (index >= header.colours) fail_damaged("a colour outside the palette");
    std::copy_n(header.palette[index].begin(), 3, out);
}

// Row `y` of the file without its padding; check_length has seen that it is there.
Bytes stored_row(const Header& header, Bytes bytes, std::int64_t y) {
    const std::size_t bits = static_cast<std::size_t>(header.width) * header.bits;
    const std::size_t stride = (bits + 31) / 32 * 4;
    return bytes.subspan(header.pixels_at + static_cast<std::size_t>(y) * stride, (bits + 7) / 8);
}

void check_length(const Header& header, Bytes bytes) {
    const std::size_t bits = static_cast<std::size_t>(header.width) * header.bits;
    const std::size_t before_last = (bits + 31) / 32 * 4 * static_cast<std::size_t>(header.height - 1);
    const std::size_t needed = before_last + (bits + 7) / 8;  // the last row's padding may be missing
    if (header.pixels_at > bytes.size() || needed > bytes.size() - header.pixels_at) fail_truncated();
}

std::uint32_t pixel_of(Bytes row, std::size_t x, unsigned bits) {
    const std::size_t size = bits / 8;
    std::uint32_t pixel = 0;
    for (std::size_t i = 0; i < size; ++i) pixel |= std::uint32_t{row[x * size + i]} << (8 * i);
    return pixel;
}

// Programs that know nothing of alpha leave it 0 everywhere, whatever the header says: such a picture is opaque.
bool has_alpha(const Header& header, Bytes bytes) {
    const std::uint32_t mask = header.channels[3].mask;
    for (std::int64_t y = 0; mask != 0 && y < header.height; ++y) {
        const Bytes row = stored_row(header, bytes, y);
        for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x) {
            if ((pixel_of(row, x, header.bits) & mask) != 0) return true;
        }
    }
    return false;
}

void read_indexed(Image& image, const Header& header, Bytes bytes) {
    for (std::int64_t y = 0; y < header.height; ++y) {
        const Bytes row = stored_row(header, bytes, y);
        std::uint8_t* out = row_of(image, header, y);
        for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x, out += 3) {
            const std::size_t bit = x * header.bits;
            const unsigned shift = 8 - header.bits - static_cast<unsigned>(bit % 8);
            put_colour(out, header, (row[bit / 8] >> shift) & ((1u << header.bits) - 1));
        }
    }
}

void read_direct(Image& image, const Header& header, Bytes bytes) {
    const bool alpha = has_alpha(header, bytes);
    for (std::int64_t y = 0; y < header.height; ++y) {
        const Bytes row = stored_row(header, bytes, y);
        std::uint8_t* out = row_of(image, header, y);
        for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x, out += 3) {
            const std::uint32_t pixel = pixel_of(row, x, header.bits);
            const unsigned opacity = alpha ? header.channels[3].value(pixel) : 255;
            for (std::size_t c = 0; c < 3; ++c) out[c] = over_white(header.channels[c].value(pixel), opacity);
        }
    }
}

// Runs of (count, colour), and escapes: 0 end of row, 1 end of picture, 2 move, n literal colours, padded to 16 bits.
void read_runs(Image& image, const Header& header, Bytes bytes) {
    for (int y = 0; y < image.height; ++y) {  // what no run covers has the first colour
        for (int x = 0; x < image.width; ++x) put_colour(image.row(y) + std::ptrdiff_t{x} * 3, header, 0);
    }
    const bool nibbles = header.bits == 4;
    std::size_t at = header.pixels_at;
    std::int64_t x = 0, y = 0;
    const auto put = [&](unsigned index) {
        if (x >= header.width || y >= header.height) fail_damaged("a run beyond the edge");
        put_colour(row_of(image, header, y) + x++ * 3, header, index);
    };
    while (y < header.height) {
        const unsigned count = little(bytes, at, 1), value = little(bytes, at + 1, 1);
        at += 2;
        if (count > 0) {
            for (unsigned i = 0; i < count; ++i) put(!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
        } else if (value == 0) {
            x = 0;
            ++y;
        } else if (value == 1) {
            return;
        } else if (value == 2) {
            x += little(bytes, at, 1);
            y += little(bytes, at + 1, 1);
            at += 2;
        } else {
            for (unsigned i = 0; i < value; ++i) {
                const unsigned byte = little(bytes, at + (nibbles ? i / 2 : i), 1);
                put(!nibbles ? byte : i % 2 == 0 ? byte >> 4 : byte & 15);
            }
            at += ((nibbles ? (value + 1) / 2 : value) + 1) / 2 * 2;
        }
    }
}

}  // namespace

StoredImage decode_bmp(Bytes bytes) {
    const Header header = read_header(bytes);
    const bool runs = header.compression == run_length_8 || header.compression == run_length_4;
    if (!runs) check_length(header, bytes);
    StoredImage stored{Image(static_cast<int>(header.width), static_cast<int>(header.height)),
                       static_cast<int>(header.width), static_cast<int>(header.height)};
    if (runs) read_runs(stored.image, header, bytes);
    else if (header.bits <= 8) read_indexed(stored.image, header, bytes);
    else read_direct(stored.image, header, bytes);
    return stored;
}

}  // namespace ouaf
