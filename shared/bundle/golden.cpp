// Makes and checks the self-test.
#include "shared/bundle/golden.hpp"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

#include "shared/preprocess/image.hpp"

namespace ouaf {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0u);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::uint32_t crc_of(std::span<const float> tensor) {
    const auto bytes = std::as_bytes(tensor);
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

// Gradients in red and green, rings in blue: every step of the preprocessing changes some of it.
Image test_picture() {
    Image image(72, 60);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            std::uint8_t* pixel = image.row(y) + static_cast<std::ptrdiff_t>(x) * 3;
            pixel[0] = static_cast<std::uint8_t>(x * 255 / (image.width - 1));
            pixel[1] = static_cast<std::uint8_t>(y * 255 / (image.height - 1));
            pixel[2] = static_cast<std::uint8_t>(((x - 36) * (x - 36) + (y - 30) * (y - 30)) / 3 % 256);
        }
    }
    return image;
}

std::vector<std::uint8_t> encode_png(const Image& image) {
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    header.width = static_cast<png_uint_32>(image.width);
    header.height = static_cast<png_uint_32>(image.height);
    header.format = PNG_FORMAT_RGB;
    std::vector<std::uint8_t> file(PNG_IMAGE_PNG_SIZE_MAX(header));
    png_alloc_size_t size = file.size();
    if (png_image_write_to_memory(&header, file.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0) {
        throw std::runtime_error(std::string("the self-test's picture could not be written: ") + header.message);
    }
    file.resize(size);
    return file;
}

}  // namespace

std::vector<std::uint8_t> golden_picture(const Golden& golden) {
    std::vector<std::uint8_t> bytes;
    std::uint32_t group = 0;
    int bits = 0;
    for (const char letter : golden.picture) {
        if (letter == '=') break;
        const std::size_t digit = digits.find(letter);
        if (digit == std::string_view::npos) throw std::runtime_error("'golden' has a picture that is not base64");
        group = group << 6 | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits >= 8) bytes.push_back(static_cast<std::uint8_t>(group >> (bits -= 8)));
    }
    return bytes;
}

Golden make_golden(const PreprocessSpec& spec) {
    const std::vector<std::uint8_t> file = encode_png(test_picture());
    std::vector<float> tensor(tensor_size(spec));
    preprocess(file, spec, tensor);
    return {to_base64(file), crc_of(tensor), {}};
}

void check_tensor(const Golden& golden, std::span<const float> tensor) {
    if (crc_of(tensor) == golden.tensor_crc) return;
    throw std::runtime_error(
        "The self-test failed: this device prepares a picture differently from the one the model "
        "was made on, so its answers can't be trusted.");
}

void check_logits(const Golden& golden, std::span<const float> logits) {
    const auto close = [](float a, float b) { return std::abs(a - b) <= logit_tolerance; };  // false for NaN
    if (logits.size() == golden.logits.size() &&
        std::equal(logits.begin(), logits.end(), golden.logits.begin(), close)) {
        return;
    }
    throw std::runtime_error(
        "The self-test failed: this device computes something else than the model should, so its "
        "answers can't be trusted.");
}

}  // namespace ouaf
