// Pictures and what the tests ask of them; the encoders are in picture_encoders.cpp.
#include "tests/unit/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "shared/preprocess/decode.hpp"

namespace ouaf::test {

Image scene(int width, int height) {
    Image image(width, height);
    std::uint32_t noise = 12345;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            std::uint8_t* out = image.row(y) + std::ptrdiff_t{x} * 3;
            const bool in_disc =
                (2 * x - width) * (2 * x - width) + (2 * y - height) * (2 * y - height) < width * height / 4;
            for (int c = 0; c < 3; ++c) {
                noise = noise * 1664525u + 1013904223u;
                const int wave = (x * (3 + c) + y * (5 - c)) % 256;
                const int triangle = wave < 128 ? wave : 255 - wave;
                const int value = 40 + triangle + (in_disc ? 25 * c : 0) + static_cast<int>(noise >> 29);
                out[c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
            }
        }
    }
    return image;
}

Image flat(int width, int height, Colour colour) {
    Image image(width, height);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = colour[i % 3];
    return image;
}

Image from_pixels(int width, int height, const std::vector<Colour>& pixels) {
    Image image(width, height);
    if (pixels.size() * 3 != image.rgb.size()) throw std::logic_error("from_pixels: not width x height pixels");
    for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = pixels[i / 3][i % 3];
    return image;
}

Colour pixel(const Image& image, int x, int y) {
    const std::uint8_t* in = image.row(y) + std::ptrdiff_t{x} * 3;
    return {in[0], in[1], in[2]};
}

int largest_difference(const Image& a, const Image& b) {
    if (a.width != b.width || a.height != b.height) return 256;
    int largest = 0;
    for (std::size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
    return largest;
}

File big_endian(std::uint32_t value, int size) {
    File bytes;
    for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return bytes;
}

File little_endian(std::uint32_t value, int size) {
    File bytes = big_endian(value, size);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
}

File text(std::string_view letters) { return {letters.begin(), letters.end()}; }

File joined(const std::vector<File>& parts) {
    File all;
    for (const File& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

void overwrite(File& file, std::size_t at, const File& bytes) {
    if (at + bytes.size() > file.size()) throw std::logic_error("overwrite: beyond the file's end");
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
}

File exif(int orientation, bool big) {
    const auto number = [&](std::uint32_t value, int size) {
        return big ? big_endian(value, size) : little_endian(value, size);
    };
    const auto entry = [&](std::uint32_t tag, std::uint32_t type, const File& value) {
        return joined({number(tag, 2), number(type, 2), number(1, 4), value});
    };
    // Two fields in one directory: image width (LONG) comes before orientation (SHORT).
    return joined({text(big ? "MM" : "II"), number(42, 2), number(8, 4), number(2, 2), entry(0x0100, 4, number(77, 4)),
                   entry(0x0112, 3, joined({number(static_cast<std::uint32_t>(orientation), 2), number(0, 2)})),
                   number(0, 4)});
}

PhotoError error_of(const File& file, int short_side) {
    try {
        decode(file, short_side);
    } catch (const PhotoError& error) {
        return error;
    }
    throw std::runtime_error("decode() threw no PhotoError");
}

std::vector<NamedFile> small_files() {
    const Image image = scene(23, 17);
    File rgba, indices, grey_alpha_16;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
        rgba.insert(rgba.end(), {image.rgb[i], image.rgb[i + 1], image.rgb[i + 2], image.rgb[i + 1]});
        indices.push_back(static_cast<std::uint8_t>(i / 3 % 4));
        grey_alpha_16.insert(grey_alpha_16.end(), {image.rgb[i], 0x12, image.rgb[i + 2], 0x34});
    }
    const PngOptions palette{.colours = PngColours::palette,
                             .palette = {{9, 8, 7, 255}, {200, 100, 0, 128}, {0, 0, 255, 0}, {255, 255, 255, 255}}};
    File runs;  // 17 rows of 23: a run, literals, the end of the row; then the end of the picture
    for (int y = 0; y < 17; ++y) runs = joined({runs, {20, 1, 0, 3, 2, 1, 0, 0, 0, 0}});
    runs = joined({runs, {0, 1}});
    const BmpOptions run_lengths{.bits = 8, .compression = 1, .palette = {{1, 2, 3}, {50, 60, 70}, {250, 240, 230}}};
    const BmpOptions masks{.bits = 32, .compression = 3, .header = 124, .masks = {0xFF, 0xFF00, 0xFF0000, 0xFF000000}};
    return {
        {"baseline.jpg", jpeg(image, {.quality = 80, .halved_chroma = true, .exif = exif(6)})},
        {"progressive.jpg", jpeg(image, {.quality = 80, .progressive = true})},
        {"scans.jpg", jpeg(image, {.quality = 80, .scan_per_component = true})},
        {"restarts.jpg", jpeg(image, {.quality = 80, .restart_rows = 1})},
        {"grey.jpg", jpeg(image, {.quality = 80, .colours = JpegColours::grey})},
        {"ycck.jpg", jpeg(image, {.quality = 80, .colours = JpegColours::ycck, .white = 200})},
        {"rgb.png", png(image)},
        {"interlaced.png", png(image, true)},
        {"palette.png", png(23, 17, indices, palette)},
        {"grey_alpha_16.png",
         png(23, 17, grey_alpha_16, {.colours = PngColours::grey_alpha, .depth = 16, .exif = exif(3, true)})},
        {"lossy.webp", webp(image, false)},
        {"lossless.webp", webp(image, true)},
        {"lossy_alpha.webp", webp(23, 17, rgba, false)},
        {"turned.webp", webp_with_exif(webp(image, false), 23, 17, exif(8))},
        {"animation.webp",
         webp_animation(40, 30, {{2, 4, 23, 17, webp(image, false)}, {0, 0, 23, 17, webp(image, true)}})},
        {"plain.bmp", bmp(image)},
        {"runs.bmp", bmp(23, 17, runs, run_lengths)},
        {"masks.bmp", bmp(23, 17, rgba, masks)},
    };
}

}  // namespace ouaf::test
