// Picture files that the tests make themselves: through the codecs' own encoders, and by hand where a variant is one
// that no encoder writes.
//
//   const File file = jpeg(scene(64, 48), {.progressive = true});
//   CHECK(largest_difference(decode(file, 64).image, scene(64, 48)) < 12);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/preprocess/image.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf::test {

using File = std::vector<std::uint8_t>;
using Colour = std::array<std::uint8_t, 3>;

// Waves, a disc and a little noise; the same on every machine.
Image scene(int width, int height);
Image flat(int width, int height, Colour colour);
Image from_pixels(int width, int height, const std::vector<Colour>& pixels);
Colour pixel(const Image& image, int x, int y);

// Over all pixels and channels; 256 where the sizes differ.
int largest_difference(const Image& a, const Image& b);

// A TIFF block with the orientation in it; JPEG puts "Exif\0\0" before it.
File exif(int orientation, bool big_endian = false);

enum class JpegColours { ycc, rgb, grey, cmyk, ycck };

struct JpegOptions {
    int quality = 95;
    JpegColours colours = JpegColours::ycc;
    bool halved_chroma = false;  // 4:2:0
    bool progressive = false;
    bool scan_per_component = false;  // baseline, not interleaved
    int restart_rows = 0;
    File exif = {};            // a TIFF block
    std::uint8_t white = 255;  // cmyk, ycck: the fourth channel as stored; the picture is stored in the other three
};
File jpeg(const Image& image, const JpegOptions& options = {});

enum class PngColours { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

struct PngOptions {
    PngColours colours = PngColours::rgb;
    int depth = 8;
    bool interlaced = false;
    std::vector<std::array<std::uint8_t, 4>> palette = {};   // RGBA
    std::optional<std::array<std::uint16_t, 3>> clear = {};  // the colour that is transparent; grey in all three
    File exif = {};
};
// `rows` as PNG packs them: the leftmost pixel in the high bits, 16 bits big-endian, each row whole bytes.
File png(int width, int height, const File& rows, const PngOptions& options);
File png(const Image& image, bool interlaced = false);

File webp(const Image& image, bool lossless);
File webp(int width, int height, const File& rgba, bool lossless);
File webp_with_exif(const File& webp, int width, int height, const File& exif);

struct WebpFrame {
    int x = 0;  // even
    int y = 0;
    int width = 0;
    int height = 0;
    File still;  // a WebP file without alpha
};
File webp_animation(int width, int height, const std::vector<WebpFrame>& frames);

struct BmpOptions {
    int bits = 24;
    std::uint32_t compression = 0;  // 1 and 2: run lengths, 3: masks
    std::uint32_t header = 40;      // its size: 12, 40, 52, 56, 64, 108, 124
    bool top_down = false;
    std::vector<Colour> palette = {};
    std::vector<std::uint32_t> masks =
        {};  // red, green, blue and perhaps alpha; after a header of 40, inside a longer one
};
// `data` as BMP stores it: the lowest row first unless top_down, each row padded to 4 bytes.
File bmp(int width, int height, const File& data, const BmpOptions& options);
File bmp(const Image& image);

// A file of each format, each small and with most of its format's parts.
struct NamedFile {
    std::string name;
    File file;
};
std::vector<NamedFile> small_files();

void overwrite(File& file, std::size_t at, const File& bytes);
File big_endian(std::uint32_t value, int size);
File little_endian(std::uint32_t value, int size);
File text(std::string_view letters);
// All of them, one after another.
File joined(const std::vector<File>& parts);

// What decode() throws; fails the test if it throws nothing.
PhotoError error_of(const File& file, int short_side = 32);

}  // namespace ouaf::test
