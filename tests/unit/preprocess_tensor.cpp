// From a decoded photo to the tensor: crop, grey, equalise, normalise, and the whole path.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "shared/preprocess/colour.hpp"
#include "shared/preprocess/preprocess.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

DecodedPhoto photo_of(Image image) {
    const int width = image.width, height = image.height;
    return {std::move(image), width, height};
}

// Red counts columns, green counts rows.
Image coordinates(int width, int height) {
    Image image(width, height);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            std::uint8_t* out = image.row(y) + std::ptrdiff_t{x} * 3;
            out[0] = static_cast<std::uint8_t>(x);
            out[1] = static_cast<std::uint8_t>(y);
        }
    }
    return image;
}

Colour corner_of_crop(int width, int height, int resize, int size) {
    const PreprocessSpec spec{.size = size, .resize = resize};
    const Image crop = crop_for_network(photo_of(coordinates(width, height)), spec);
    CHECK(crop.width == size);
    CHECK(crop.height == size);
    return pixel(crop, 0, 0);
}

std::string complaint_about(const PreprocessSpec& spec) {
    try {
        std::vector<float> tensor;
        preprocess(png(scene(8, 8)), spec, tensor);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("the crop is the middle, an odd pixel more on the right and below", "[preprocess][tensor]") {
    CHECK(corner_of_crop(32, 32, 32, 32) == Colour{0, 0, 0});
    CHECK(corner_of_crop(32, 32, 32, 20) == Colour{6, 6, 0});
    CHECK(corner_of_crop(33, 33, 33, 20) == Colour{6, 6, 0});
    CHECK(corner_of_crop(100, 32, 32, 20) == Colour{40, 6, 0});
    CHECK(corner_of_crop(32, 100, 32, 20) == Colour{6, 40, 0});
}

TEST_CASE("the long side is scaled with the short one, to the nearest pixel", "[preprocess][tensor]") {
    // 40 x 81 to a short side of 20: 40.5 rounds up to 41 rows; the crop of 20 starts at row 10 of 41.
    const Image tall = scene(40, 81);
    const PreprocessSpec spec{.size = 20, .resize = 20, .filter = Filter::linear};
    CHECK(crop_for_network(photo_of(tall), spec).rgb == resize(tall, 20, 41, Filter::linear, {0, 10, 20, 20}).rgb);
    // 30 x 50 to 16: 26.67 columns round to 27.
    const Image wide = scene(50, 30);
    const PreprocessSpec small{.size = 10, .resize = 16, .filter = Filter::cubic};
    CHECK(crop_for_network(photo_of(wide), small).rgb == resize(wide, 27, 16, Filter::cubic, {8, 3, 10, 10}).rgb);
}

TEST_CASE("a photo decoded at half its size keeps the proportions of the whole", "[preprocess][tensor]") {
    // 401 x 201 at half size is 201 x 101; the long side is 401 * 64 / 201 = 127.7, not 201 * 64 / 101 = 127.4.
    const PreprocessSpec spec{.size = 64, .resize = 64, .filter = Filter::linear};
    const Image wide = scene(201, 101), tall = scene(101, 201);
    CHECK(crop_for_network({wide, 401, 201}, spec).rgb == resize(wide, 128, 64, Filter::linear, {32, 0, 64, 64}).rgb);
    CHECK(crop_for_network({tall, 201, 401}, spec).rgb == resize(tall, 64, 128, Filter::linear, {0, 32, 64, 64}).rgb);
}

TEST_CASE("normalisation is (value / 255 - mean) / std, for all 256 values", "[preprocess][tensor]") {
    Image image(16, 16);
    for (std::size_t i = 0; i < 256; ++i) {
        image.rgb[3 * i] = static_cast<std::uint8_t>(i);
        image.rgb[3 * i + 1] = static_cast<std::uint8_t>(255 - i);
        image.rgb[3 * i + 2] = static_cast<std::uint8_t>(i * 7);
    }
    const PreprocessSpec spec{.size = 16, .mean = {0.485F, 0.5F, 0.0F}, .std = {0.229F, 0.5F, 1.0F}};
    std::vector<float> tensor(tensor_size(spec));
    normalise(image, spec, tensor);
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < 256; ++i) {
            const long double exact = (image.rgb[3 * i + c] / 255.0L - spec.mean[c]) / spec.std[c];
            INFO("channel " << c << ", pixel " << i);
            REQUIRE(tensor[256 * c + i] == static_cast<float>(exact));
        }
    }
    CHECK(tensor[256] == 1.0F);  // (1 - 0.5) / 0.5
    CHECK(tensor[512] == 0.0F);
}

TEST_CASE("grey is the luma of BT.601", "[preprocess][tensor]") {
    Image image = from_pixels(5, 1, {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}, {10, 20, 30}});
    to_grey(image);
    // 76.2, 149.7, 29.1, 255, 18.2
    CHECK(image.rgb ==
          from_pixels(5, 1, {{76, 76, 76}, {150, 150, 150}, {29, 29, 29}, {255, 255, 255}, {18, 18, 18}}).rgb);
    Image many = scene(64, 64);
    const Image before = many;
    to_grey(many);
    for (std::size_t i = 0; i < many.rgb.size(); i += 3) {
        const double luma = 0.299 * before.rgb[i] + 0.587 * before.rgb[i + 1] + 0.114 * before.rgb[i + 2];
        REQUIRE(std::abs(many.rgb[i] - luma) <= 0.51);
        REQUIRE(many.rgb[i] == many.rgb[i + 1]);
        REQUIRE(many.rgb[i] == many.rgb[i + 2]);
    }
}

TEST_CASE("equalising by hand", "[preprocess][tensor]") {
    Image image = from_pixels(2, 2, {{10, 10, 10}, {20, 20, 20}, {20, 20, 20}, {30, 30, 30}});
    equalise(image);  // of the three pixels above the darkest, two are 20 or darker: 170
    CHECK(image.rgb == from_pixels(2, 2, {{0, 0, 0}, {170, 170, 170}, {170, 170, 170}, {255, 255, 255}}).rgb);

    // Lumas 76 (red) and 19: the darker moves to 0, red to 255; each colour moves as a whole, within 0 to 255.
    Image colours = from_pixels(2, 1, {{255, 0, 0}, {29, 14, 19}});
    equalise(colours);
    CHECK(colours.rgb == from_pixels(2, 1, {{255, 179, 179}, {10, 0, 0}}).rgb);

    Image one_colour = flat(5, 5, {90, 40, 200});
    equalise(one_colour);
    CHECK(one_colour.rgb == flat(5, 5, {90, 40, 200}).rgb);
}

TEST_CASE("equalising maps a luma to its share of the brighter pixels", "[preprocess][tensor]") {
    Image image = scene(48, 40);
    to_grey(image);
    const Image before = image;
    equalise(image);
    const auto up_to = [&](int luma) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < before.rgb.size(); i += 3) count += before.rgb[i] <= luma ? 1u : 0u;
        return static_cast<double>(count);
    };
    const int darkest = *std::min_element(before.rgb.begin(), before.rgb.end());
    const double pixels = 48 * 40, first = up_to(darkest);
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
        const double exact = 255 * (up_to(before.rgb[i]) - first) / (pixels - first);
        REQUIRE(std::abs(image.rgb[i] - exact) <= 0.5 + 1e-9);
    }
}

TEST_CASE("preprocess() is decode, crop, grey, equalise, normalise, in this order", "[preprocess][tensor]") {
    const Image image = scene(90, 70);
    const bool grey = GENERATE(false, true), equalised = GENERATE(false, true);
    const PreprocessSpec spec{.size = 40, .resize = 50, .filter = Filter::linear, .grey = grey, .equalise = equalised};
    std::vector<float> tensor(tensor_size(spec)), expected(tensor_size(spec));
    const PhotoSize size = preprocess(png(image), spec, tensor);
    CHECK(size.width == 90);
    CHECK(size.height == 70);
    Image crop = resize(image, 64, 50, Filter::linear, {12, 5, 40, 40});  // 90 * 50 / 70 is 64.3
    if (grey) to_grey(crop);
    if (equalised) equalise(crop);
    normalise(crop, spec, expected);
    CHECK(tensor == expected);
}

TEST_CASE("photos of extreme shapes become tensors", "[preprocess][tensor]") {
    const auto [width, height] = GENERATE(std::pair{1, 1}, std::pair{1, 5000}, std::pair{5000, 1}, std::pair{20000, 3},
                                          std::pair{2, 1}, std::pair{223, 224});
    const Filter filter = GENERATE(Filter::area, Filter::linear, Filter::cubic);
    INFO(width << " x " << height << ", filter " << static_cast<int>(filter));
    const PreprocessSpec spec{.filter = filter, .mean = {0, 0, 0}, .std = {1, 1, 1}};
    const Colour colour{200, 100, 50};
    std::vector<float> tensor(tensor_size(spec));
    for (const File& file : {png(flat(width, height, colour)), bmp(flat(width, height, colour))}) {
        std::fill(tensor.begin(), tensor.end(), -1.0F);
        const PhotoSize size = preprocess(file, spec, tensor);
        CHECK(size.width == width);
        CHECK(size.height == height);
        for (std::size_t i = 0; i < tensor.size(); ++i) {
            REQUIRE(tensor[i] == static_cast<float>(colour[i / (tensor.size() / 3)] / 255.0));
        }
    }
    CHECK_NOTHROW(preprocess(jpeg(flat(width, height, colour)), spec, tensor));
    CHECK_NOTHROW(preprocess(webp(flat(std::min(width, 16000), height, colour), true), spec, tensor));
}

TEST_CASE("a spec that can't be computed is refused by its field's name", "[preprocess][tensor]") {
    const float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
    CHECK(complaint_about({.size = 0}) == "'size' must be 1 to 4096 pixels");
    CHECK(complaint_about({.size = -5}) == "'size' must be 1 to 4096 pixels");
    CHECK(complaint_about({.size = 5000, .resize = 5000}) == "'size' must be 1 to 4096 pixels");
    CHECK(complaint_about({.size = 224, .resize = 223}) == "'resize' must be at least 'size' and at most 8192 pixels");
    CHECK(complaint_about({.resize = 8193}) == "'resize' must be at least 'size' and at most 8192 pixels");
    CHECK(complaint_about({.std = {1, 0, 1}}) == "'std' must be above 0");
    CHECK(complaint_about({.std = {1, -1, 1}}) == "'std' must be above 0");
    CHECK(complaint_about({.std = {1, not_a_number, 1}}) == "'std' must be above 0");
    CHECK(complaint_about({.std = {1, 1, infinity}}) == "'std' must be above 0");
    CHECK(complaint_about({.mean = {0, 0, not_a_number}}) == "'mean' must be a finite number");
}

TEST_CASE("the middle square, given as shares, is the middle to the bit", "[preprocess][tensor]") {
    const PreprocessSpec spec = GENERATE(PreprocessSpec{}, PreprocessSpec{.size = 300, .resize = 343},
                                         PreprocessSpec{.size = 64, .resize = 64});
    for (const auto& [width, height] : {std::pair{640, 480}, {333, 517}, {97, 1001}, {224, 224}}) {
        const File file = jpeg(scene(width, height), {.halved_chroma = true});
        std::vector<float> middle(tensor_size(spec));
        std::vector<float> square(tensor_size(spec));
        const PhotoSize size = preprocess(file, spec, middle);
        CHECK(preprocess(file, spec, seen_square(size, spec), square).width == width);
        CHECK(middle == square);
    }
}

TEST_CASE("a square of a photo is seen as it is there", "[preprocess][tensor]") {
    const PreprocessSpec spec{.size = 100, .resize = 120, .mean = {0, 0, 0}, .std = {1, 1, 1}};
    const DecodedPhoto photo = photo_of(coordinates(250, 200));  // half of the shorter side: nothing is resampled
    const auto corner = [&](const Square& square) { return pixel(square_for_network(photo, spec, square), 0, 0); };
    CHECK(corner({0, 0, 0.5F}) == Colour{0, 0, 0});
    CHECK(corner({0.2F, 0.25F, 0.5F}) == Colour{50, 50, 0});
    CHECK(corner({1, 1, 0.5F}) == Colour{150, 100, 0});  // moved inside
    CHECK(corner({-1, 0.5F, 0.5F}) == Colour{0, 100, 0});
    CHECK(pixel(square_for_network(photo, spec, {0.2F, 0.25F, 0.5F}), 99, 99) == Colour{149, 149, 0});
}

TEST_CASE("a square that is no part of a photo is refused", "[preprocess][tensor]") {
    for (const float side : {0.0F, -0.5F, 1.01F, 0.02F, std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<float> tensor(tensor_size({}));
        CHECK_THROWS_WITH(preprocess(png(scene(8, 8)), {}, Square{0, 0, side}, tensor), Catch::Contains("side"));
    }
}
