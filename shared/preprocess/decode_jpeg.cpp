// JPEG through libjpeg-turbo: any scan order, grey, YCbCr, RGB, CMYK and YCCK, at the smallest scale that serves.
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h uses FILE and size_t without including them

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h: its numbers follow settings that stand there

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "shared/preprocess/decoders.hpp"
#include "shared/preprocess/exif.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

// libjpeg reports an error by a callback that must not return: it jumps back to the function that set `back`. No C++
// object with a destructor lives between the two.
struct Decoder {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    jpeg_source_mgr source{};
    std::jmp_buf back{};
    bool ran_out = false;     // libjpeg asked for more bytes than the file has
    bool short_scan = false;  // a scan ended before its last block
    char message[JMSG_LENGTH_MAX]{};

    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { jpeg_destroy_decompress(&info); }
};

Decoder& of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }
Decoder& of(j_decompress_ptr info) { return *static_cast<Decoder*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
    info->err->format_message(info, of(info).message);
    std::longjmp(of(info).back, 1);
}

void on_message(j_common_ptr info, int level) {
    if (level < 0 && info->err->msg_code == JWRN_HIT_MARKER) of(info).short_scan = true;
}

// At the end of the file libjpeg is given an end-of-image marker, so that it stops in good order.
boolean on_end_of_bytes(j_decompress_ptr info) {
    static const JOCTET end_of_image[2] = {0xFF, JPEG_EOI};
    of(info).ran_out = true;
    info->src->next_input_byte = end_of_image;
    info->src->bytes_in_buffer = 2;
    return TRUE;
}

void skip(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    if (static_cast<std::size_t>(count) > info->src->bytes_in_buffer) {
        on_end_of_bytes(info);
        return;
    }
    info->src->next_input_byte += count;
    info->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

void open(Decoder& decoder, Bytes bytes) {
    decoder.info.err = jpeg_std_error(&decoder.errors);
    decoder.errors.error_exit = on_error;
    decoder.errors.emit_message = on_message;
    decoder.info.client_data = &decoder;
    jpeg_create_decompress(&decoder.info);
    decoder.source.next_input_byte = bytes.data();
    decoder.source.bytes_in_buffer = bytes.size();
    decoder.source.init_source = [](j_decompress_ptr) {};
    decoder.source.fill_input_buffer = on_end_of_bytes;
    decoder.source.skip_input_data = skip;
    decoder.source.resync_to_restart = jpeg_resync_to_restart;
    decoder.source.term_source = [](j_decompress_ptr) {};
    decoder.info.src = &decoder.source;
    jpeg_save_markers(&decoder.info, JPEG_APP0 + 1, 0xFFFF);
}

// Each step may jump: true when it came through.
bool read_header(Decoder& decoder, Bytes bytes) {
    if (setjmp(decoder.back) != 0) return false;
    open(decoder, bytes);
    jpeg_read_header(&decoder.info, TRUE);
    return true;
}

bool start(Decoder& decoder) {
    if (setjmp(decoder.back) != 0) return false;
    jpeg_start_decompress(&decoder.info);
    return true;
}

bool read_rows(Decoder& decoder, std::uint8_t* rows, std::size_t stride) {
    if (setjmp(decoder.back) != 0) return false;
    while (decoder.info.output_scanline < decoder.info.output_height) {
        JSAMPROW row = rows + stride * decoder.info.output_scanline;
        if (jpeg_read_scanlines(&decoder.info, &row, 1) != 1) return false;
    }
    return true;
}

[[noreturn]] void fail(const Decoder& decoder) {
    const int code = decoder.errors.msg_code;
    if (code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code == JERR_EMPTY_IMAGE || code == JERR_IMAGE_TOO_BIG) {  // libjpeg has limits of its own
        check_size(decoder.info.image_width, decoder.info.image_height);
    }
    if (code == JERR_IMAGE_TOO_BIG || code == JERR_SOF_UNSUPPORTED || code == JERR_CONVERSION_NOTIMPL) {
        throw PhotoError(PhotoErrorKind::unsupported, "This JPEG is stored in a way that can't be read (" +
                                                          std::string(decoder.message) +
                                                          "). Save it as a common JPEG or PNG and choose that.");
    }
    if (decoder.ran_out) {
        throw PhotoError(PhotoErrorKind::truncated,
                         "This JPEG photo is incomplete: the file ends too early. Copy or download it again.");
    }
    throw PhotoError(PhotoErrorKind::damaged,
                     "This JPEG photo is damaged (" + std::string(decoder.message) + "). Copy or download it again.");
}

int stored_orientation(const jpeg_decompress_struct& info) {
    for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
        const Bytes block(marker->data, marker->data_length);
        constexpr std::uint8_t exif[] = {'E', 'x', 'i', 'f'};
        if (block.size() >= 4 && std::equal(std::begin(exif), std::end(exif), block.begin())) {
            return exif_orientation(block);
        }
    }
    return 1;
}

// a * b / 255, rounded.
unsigned multiply(unsigned a, unsigned b) { return (a * b + 128u + ((a * b + 128u) >> 8)) >> 8; }

// Four inks to RGB. They are taken as Adobe writes them, inverted, as every browser and Pillow do.
void inks_to_rgb(const std::vector<std::uint8_t>& inks, Image& image) {
    for (std::size_t i = 0; i < inks.size() / 4; ++i) {
        const unsigned white = inks[4 * i + 3];
        for (std::size_t c = 0; c < 3; ++c) {
            image.rgb[3 * i + c] = static_cast<std::uint8_t>(white - multiply(255u - inks[4 * i + c], white));
        }
    }
}

}  // namespace

StoredImage decode_jpeg(Bytes bytes, int short_side) {
    Decoder decoder;
    if (!read_header(decoder, bytes)) fail(decoder);
    auto& info = decoder.info;
    check_size(info.image_width, info.image_height);
    if (info.data_precision != 8) {
        throw PhotoError(PhotoErrorKind::unsupported, "This JPEG stores " + std::to_string(info.data_precision) +
                                                          " bits a colour; only 8 can be read. Save it as a common "
                                                          "JPEG or PNG and choose that.");
    }
    StoredImage stored{
        {}, static_cast<int>(info.image_width), static_cast<int>(info.image_height), stored_orientation(info)};

    const bool inks = info.num_components == 4;
    info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    info.scale_num = 1;
    info.scale_denom = 8;
    const int shorter = std::min(stored.width, stored.height);
    while (info.scale_denom > 1 && shorter / static_cast<int>(info.scale_denom) < 2 * short_side) {
        info.scale_denom /= 2;
    }
    if (!start(decoder)) fail(decoder);

    stored.image = Image(static_cast<int>(info.output_width), static_cast<int>(info.output_height));
    const std::size_t pixels = std::size_t{info.output_width} * info.output_height;
    std::vector<std::uint8_t> four(inks ? pixels * 4 : 0);
    if (!read_rows(decoder, inks ? four.data() : stored.image.rgb.data(),
                   std::size_t{info.output_width} * (inks ? 4 : 3))) {
        fail(decoder);
    }
    // Reading ahead may run out in a whole file that only lacks its end marker; a scan that stops short may come from
    // one flipped bit. Both together: the file ends too early. Where a photo has many scans, whole ones may be missing.
    if (decoder.ran_out && (decoder.short_scan || jpeg_has_multiple_scans(&info))) fail(decoder);
    if (inks) inks_to_rgb(four, stored.image);
    return stored;
}

}  // namespace ouaf
