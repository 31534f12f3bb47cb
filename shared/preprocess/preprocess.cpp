// The order of the steps, and the arithmetic of the first (sizes) and the last (normalisation).
#include "shared/preprocess/preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "shared/preprocess/colour.hpp"

namespace ouaf {
namespace {

// The long side that goes with short side `resize`, at most what an int holds: a 1 x 100,000,000 photo is legal.
int scaled(int side, int short_side, int resize) {
    const std::int64_t exact = (std::int64_t{side} * resize + short_side / 2) / short_side;
    return static_cast<int>(std::min<std::int64_t>(exact, 1 << 30));
}

Window window_at(CropPlace place, int width, int height, int size) {
    const int right = width - size;
    const int bottom = height - size;
    switch (place) {
        case CropPlace::top_left: return {0, 0, size, size};
        case CropPlace::top_right: return {right, 0, size, size};
        case CropPlace::bottom_left: return {0, bottom, size, size};
        case CropPlace::bottom_right: return {right, bottom, size, size};
        case CropPlace::centre: break;
    }
    return {right / 2, bottom / 2, size, size};
}

PhotoSize size_after(PhotoSize photo, int resize) {
    const int shorter = std::min(photo.width, photo.height);
    return {scaled(photo.width, shorter, resize), scaled(photo.height, shorter, resize)};
}

Image seen_through(const DecodedPhoto& photo, const PreprocessSpec& spec, PhotoSize resized, const Window& window) {
    Image image = resize(photo.image, resized.width, resized.height, spec.filter, window);
    if (spec.grey) to_grey(image);
    if (spec.equalise) equalise(image);
    return image;
}

}  // namespace

PreprocessSpec at_size(PreprocessSpec spec, int size) {
    spec.resize = static_cast<int>(std::lround(static_cast<double>(spec.resize) * size / spec.size));
    spec.size = size;
    return spec;
}

void check_spec(const PreprocessSpec& spec) {
    if (spec.size < 1 || spec.size > 4096) throw std::runtime_error("'size' must be 1 to 4096 pixels");
    if (spec.resize < spec.size || spec.resize > 8192) {
        throw std::runtime_error("'resize' must be at least 'size' and at most 8192 pixels");
    }
    for (const float mean : spec.mean) {
        if (!std::isfinite(mean)) throw std::runtime_error("'mean' must be a finite number");
    }
    for (const float deviation : spec.std) {
        if (!(deviation > 0 && std::isfinite(deviation))) throw std::runtime_error("'std' must be above 0");
    }
}

Image crop_for_network(const DecodedPhoto& photo, const PreprocessSpec& spec, CropPlace place) {
    const PhotoSize resized = size_after({photo.width, photo.height}, spec.resize);
    return seen_through(photo, spec, resized, window_at(place, resized.width, resized.height, spec.size));
}

Square seen_square(PhotoSize photo, const PreprocessSpec& spec) {
    const PhotoSize resized = size_after(photo, spec.resize);
    const Window seen = window_at(CropPlace::centre, resized.width, resized.height, spec.size);
    const auto share = [](int part, int whole) { return static_cast<float>(part) / static_cast<float>(whole); };
    return {share(seen.x, resized.width), share(seen.y, resized.height), share(spec.size, spec.resize)};
}

int resize_for(const Square& square, const PreprocessSpec& spec) {
    constexpr int most = 8192;
    const auto resize = std::lround(static_cast<float>(spec.size) / square.side);
    if (!(square.side > 0 && square.side <= 1) || resize > most)
        throw std::runtime_error("the square's side must be a share of the photo's shorter side, 0.03 to 1");
    return static_cast<int>(resize);
}

Image square_for_network(const DecodedPhoto& photo, const PreprocessSpec& spec, const Square& square) {
    const PhotoSize resized = size_after({photo.width, photo.height}, resize_for(square, spec));
    const auto place = [&](float share, int whole) {
        return std::clamp(static_cast<int>(std::lround(share * static_cast<float>(whole))), 0, whole - spec.size);
    };
    return seen_through(photo, spec, resized,
                        {place(square.left, resized.width), place(square.top, resized.height), spec.size, spec.size});
}

std::array<float, 256> normalised_values(float mean, float std) {
    std::array<float, 256> table;
    for (std::size_t v = 0; v < table.size(); ++v) {
        const double value = static_cast<double>(v) / 255.0;
        table[v] = static_cast<float>((value - static_cast<double>(mean)) / static_cast<double>(std));
    }
    return table;
}

void normalise(const Image& image, const PreprocessSpec& spec, std::span<float> tensor) {
    const std::size_t plane = tensor.size() / 3;
    for (std::size_t c = 0; c < 3; ++c) {
        const std::array<float, 256> table = normalised_values(spec.mean[c], spec.std[c]);
        float* out = tensor.data() + c * plane;
        const std::uint8_t* in = image.rgb.data() + c;
        for (std::size_t i = 0; i < plane; ++i) out[i] = table[in[3 * i]];
    }
}

PhotoSize preprocess(std::span<const std::uint8_t> bytes, const PreprocessSpec& spec, std::span<float> tensor) {
    check_spec(spec);
    const DecodedPhoto photo = decode(bytes, spec.resize);
    normalise(crop_for_network(photo, spec), spec, tensor);
    return {photo.width, photo.height};
}

PhotoSize preprocess(std::span<const std::uint8_t> bytes, const PreprocessSpec& spec, const Square& square,
                     std::span<float> tensor) {
    check_spec(spec);
    const DecodedPhoto photo = decode(bytes, resize_for(square, spec));
    normalise(square_for_network(photo, spec, square), spec, tensor);
    return {photo.width, photo.height};
}

}  // namespace ouaf
