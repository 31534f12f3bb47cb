// From a photo's bytes to the tensor that the network sees: the one path that trainer, CLI and page share.
//
//   std::vector<float> tensor(tensor_size(spec));
//   PhotoSize size = preprocess(bytes, spec, tensor);      // 1 x 3 x spec.size x spec.size, NCHW, RGB
//
// Every step works on integers and the last is a table look-up, so the tensor is the same to the bit on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "shared/preprocess/decode.hpp"
#include "shared/preprocess/image.hpp"
#include "shared/preprocess/resample.hpp"

namespace ouaf {

struct PreprocessSpec {
    int size = 224;    // pixels a side of the centre crop
    int resize = 256;  // pixels of the short side before it; at least size
    Filter filter = Filter::area;
    bool grey = false;
    bool equalise = false;
    std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  // of RGB in 0..1
    std::array<float, 3> std{0.229F, 0.224F, 0.225F};
};

struct PhotoSize {
    int width = 0;  // upright, pixels
    int height = 0;
};

inline std::size_t tensor_size(const PreprocessSpec& spec) {
    return std::size_t{3} * static_cast<std::size_t>(spec.size) * static_cast<std::size_t>(spec.size);
}

// The same share of a photo at another size.
PreprocessSpec at_size(PreprocessSpec spec, int size);

// Throws std::runtime_error "'field' …" for sizes that can't be computed: a spec comes from a file.
void check_spec(const PreprocessSpec& spec);

// A part of the photo that is looked at in place of its middle.
struct Square {
    float left = 0;  // of the photo's width, from 0
    float top = 0;   // of its height
    float side = 1;  // of its shorter side, above 0, at most 1
};

// The middle square that the network sees.
Square seen_square(PhotoSize photo, const PreprocessSpec& spec);

// Where in the resized photo the crop lies. The network sees the centre; corners are for test-time augmentation.
enum class CropPlace { centre, top_left, top_right, bottom_left, bottom_right };

// Short side to spec.resize (long side rounded to nearest), crop, grey, equalise.
Image crop_for_network(const DecodedPhoto& photo, const PreprocessSpec& spec, CropPlace place = CropPlace::centre);

// (value / 255 - mean) / std of each byte, rounded once to float32.
std::array<float, 256> normalised_values(float mean, float std);

// The same of each channel, into planes.
void normalise(const Image& image, const PreprocessSpec& spec, std::span<float> tensor);

// The square resized to what the network sees, as seen_square's is by crop_for_network, to the bit; one that reaches
// over the photo's edge is moved inside. The photo was decoded for a short side of resize_for(square, spec) or more.
int resize_for(const Square& square, const PreprocessSpec& spec);
Image square_for_network(const DecodedPhoto& photo, const PreprocessSpec& spec, const Square& square);

// All of it. `tensor` holds tensor_size(spec) values. Throws PhotoError, or what check_spec throws.
PhotoSize preprocess(std::span<const std::uint8_t> bytes, const PreprocessSpec& spec, std::span<float> tensor);

// Of a square of the photo. Throws std::runtime_error too for a side that is no share, or less than a 36th.
PhotoSize preprocess(std::span<const std::uint8_t> bytes, const PreprocessSpec& spec, const Square& square,
                     std::span<float> tensor);

}  // namespace ouaf
