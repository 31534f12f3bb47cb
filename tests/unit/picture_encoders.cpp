// The encoders of pictures.hpp.
#include <cstddef>
#include <cstdio>  // jpeglib.h uses FILE and size_t without including them

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "tests/unit/pictures.hpp"

namespace ouaf::test {
namespace {

// What libjpeg compresses: the picture's samples in the colour space that is handed over.
std::vector<std::uint8_t> samples_of(const Image& image, const JpegOptions& options) {
    std::vector<std::uint8_t> samples;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
        if (options.colours == JpegColours::grey) {
            samples.push_back(image.rgb[i + 1]);
            continue;
        }
        samples.insert(samples.end(), &image.rgb[i], &image.rgb[i] + 3);
        if (options.colours == JpegColours::cmyk || options.colours == JpegColours::ycck) {
            samples.push_back(options.white);
        }
    }
    return samples;
}

void set_colours(jpeg_compress_struct& info, JpegColours colours) {
    switch (colours) {
        case JpegColours::grey:
            info.input_components = 1;
            info.in_color_space = JCS_GRAYSCALE;
            break;
        case JpegColours::cmyk:
        case JpegColours::ycck:
            info.input_components = 4;
            info.in_color_space = JCS_CMYK;
            break;
        case JpegColours::ycc:
        case JpegColours::rgb:
            info.input_components = 3;
            info.in_color_space = JCS_RGB;
            break;
    }
}

File chunk(std::string_view name, const File& data) {
    File bytes = joined({text(name), little_endian(static_cast<std::uint32_t>(data.size()), 4), data});
    if (data.size() % 2 == 1) bytes.push_back(0);
    return bytes;
}

File riff(const File& chunks) {
    return joined(
        {text("RIFF"), little_endian(static_cast<std::uint32_t>(chunks.size() + 4), 4), text("WEBP"), chunks});
}

// A WebP file's chunks without "RIFF", its size and "WEBP".
File chunks_of(const File& webp) { return {webp.begin() + 12, webp.end()}; }

File extended_header(std::uint8_t flags, int width, int height) {
    return chunk("VP8X", joined({{flags, 0, 0, 0},
                                 little_endian(static_cast<std::uint32_t>(width - 1), 3),
                                 little_endian(static_cast<std::uint32_t>(height - 1), 3)}));
}

}  // namespace

File jpeg(const Image& image, const JpegOptions& options) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;  // libjpeg's type
    jpeg_mem_dest(&info, &bytes, &size);

    info.image_width = static_cast<JDIMENSION>(image.width);
    info.image_height = static_cast<JDIMENSION>(image.height);
    set_colours(info, options.colours);
    jpeg_set_defaults(&info);
    if (options.colours == JpegColours::rgb) jpeg_set_colorspace(&info, JCS_RGB);
    if (options.colours == JpegColours::ycck) jpeg_set_colorspace(&info, JCS_YCCK);
    jpeg_set_quality(&info, options.quality, TRUE);
    for (const int full : {0, 3}) {  // the components that are never halved: luma and the fourth ink
        if (full >= info.num_components) continue;
        info.comp_info[full].h_samp_factor = info.comp_info[full].v_samp_factor = options.halved_chroma ? 2 : 1;
    }
    if (options.progressive) jpeg_simple_progression(&info);
    info.restart_in_rows = options.restart_rows;
    std::vector<jpeg_scan_info> scans(static_cast<std::size_t>(info.num_components));
    if (options.scan_per_component) {
        for (std::size_t i = 0; i < scans.size(); ++i) scans[i] = {1, {static_cast<int>(i)}, 0, 63, 0, 0};
        info.scan_info = scans.data();
        info.num_scans = static_cast<int>(scans.size());
    }

    jpeg_start_compress(&info, TRUE);
    if (!options.exif.empty()) {
        const File block = joined({text("Exif"), {0, 0}, options.exif});
        jpeg_write_marker(&info, JPEG_APP0 + 1, block.data(), static_cast<unsigned>(block.size()));
    }
    std::vector<std::uint8_t> samples = samples_of(image, options);
    const std::size_t stride = samples.size() / static_cast<std::size_t>(image.height);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = samples.data() + stride * info.next_scanline;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    File file(bytes, bytes + size);
    std::free(bytes);
    return file;
}

File png(int width, int height, const File& rows, const PngOptions& options) {
    png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);  // errors abort
    png_infop info = png_create_info_struct(writer);
    File file;
    png_set_write_fn(
        writer, &file,
        [](png_structp png, png_bytep bytes, std::size_t size) {
            File& out = *static_cast<File*>(png_get_io_ptr(png));
            out.insert(out.end(), bytes, bytes + size);
        },
        nullptr);
    png_set_IHDR(writer, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), options.depth,
                 static_cast<int>(options.colours), options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    std::vector<png_color> palette;
    std::vector<png_byte> alpha;
    for (const auto& [red, green, blue, opacity] : options.palette) {
        palette.push_back({red, green, blue});
        alpha.push_back(opacity);
    }
    if (!palette.empty()) {
        png_set_PLTE(writer, info, palette.data(), static_cast<int>(palette.size()));
        png_set_tRNS(writer, info, alpha.data(), static_cast<int>(alpha.size()), nullptr);
    }
    if (options.clear) {
        const auto& [red, green, blue] = *options.clear;
        const png_color_16 clear{0, red, green, blue, green};
        png_set_tRNS(writer, info, nullptr, 0, &clear);
    }
    File exif = options.exif;
    if (!exif.empty()) png_set_eXIf_1(writer, info, static_cast<png_uint_32>(exif.size()), exif.data());
    png_write_info(writer, info);

    const std::size_t stride = rows.size() / static_cast<std::size_t>(height);
    std::vector<std::uint8_t> copy = rows;
    std::vector<png_bytep> pointers;
    for (int y = 0; y < height; ++y) pointers.push_back(copy.data() + static_cast<std::size_t>(y) * stride);
    png_write_image(writer, pointers.data());
    png_write_end(writer, info);
    png_destroy_write_struct(&writer, &info);
    return file;
}

File png(const Image& image, bool interlaced) {
    return png(image.width, image.height, image.rgb, {.interlaced = interlaced});
}

File webp(int width, int height, const File& rgba, bool lossless) {
    std::uint8_t* bytes = nullptr;
    const int stride = width * 4;
    const std::size_t size = lossless ? WebPEncodeLosslessRGBA(rgba.data(), width, height, stride, &bytes)
                                      : WebPEncodeRGBA(rgba.data(), width, height, stride, 90, &bytes);
    if (size == 0) throw std::runtime_error("the WebP encoder failed");
    File file(bytes, bytes + size);
    WebPFree(bytes);
    return file;
}

File webp(const Image& image, bool lossless) {
    File rgba;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
        rgba.insert(rgba.end(), {image.rgb[i], image.rgb[i + 1], image.rgb[i + 2], 255});
    }
    return webp(image.width, image.height, rgba, lossless);
}

File webp_with_exif(const File& still, int width, int height, const File& exif) {
    constexpr std::uint8_t has_exif = 8;
    return riff(joined({extended_header(has_exif, width, height), chunks_of(still), chunk("EXIF", exif)}));
}

File webp_animation(int width, int height, const std::vector<WebpFrame>& frames) {
    constexpr std::uint8_t animated = 2;
    const auto size = [](int value, int count) { return little_endian(static_cast<std::uint32_t>(value), count); };
    File chunks = joined({extended_header(animated, width, height), chunk("ANIM", {0, 0, 0, 0, 0, 0})});
    for (const WebpFrame& frame : frames) {
        const File data = joined({size(frame.x / 2, 3),
                                  size(frame.y / 2, 3),
                                  size(frame.width - 1, 3),
                                  size(frame.height - 1, 3),
                                  size(100, 3),
                                  {0},
                                  chunks_of(frame.still)});
        chunks = joined({chunks, chunk("ANMF", data)});
    }
    return riff(chunks);
}

File bmp(int width, int height, const File& data, const BmpOptions& options) {
    const auto number = [](auto value, int size) { return little_endian(static_cast<std::uint32_t>(value), size); };
    const bool small = options.header == 12;
    const int stored_height = options.top_down ? -height : height;
    File header = number(options.header, 4);
    if (small) {
        header = joined({header, number(width, 2), number(height, 2), number(1, 2), number(options.bits, 2)});
    } else {
        header = joined({header, number(width, 4), number(stored_height, 4), number(1, 2), number(options.bits, 2),
                         number(options.compression, 4), number(data.size(), 4), number(2835, 4), number(2835, 4),
                         number(options.palette.size(), 4), number(0, 4)});
    }
    for (const std::uint32_t mask : options.masks) header = joined({header, number(mask, 4)});
    header.resize(std::max<std::size_t>(header.size(), options.header));
    for (const Colour& colour : options.palette) {
        header = joined({header, {colour[2], colour[1], colour[0]}});
        if (!small) header.push_back(0);
    }
    const std::size_t start = 14 + header.size();
    return joined({text("BM"), number(start + data.size(), 4), number(0, 4), number(start, 4), header, data});
}

File bmp(const Image& image) {
    File data;
    for (int y = image.height - 1; y >= 0; --y) {
        for (int x = 0; x < image.width; ++x) {
            const Colour colour = pixel(image, x, y);
            data.insert(data.end(), {colour[2], colour[1], colour[0]});
        }
        while (data.size() % 4 != 0) data.push_back(0);
    }
    return bmp(image.width, image.height, data, {});
}

}  // namespace ouaf::test
