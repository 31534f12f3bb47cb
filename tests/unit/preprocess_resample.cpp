// Resizing against the kernels' formulas, evaluated plainly in double, and against numbers worked out by hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "shared/preprocess/resample.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

// The weight of source pixel s in output pixel i, not yet normalised.
double weight(Filter filter, int s, int i, int source, int target) {
    const double scale = static_cast<double>(source) / target;
    if (filter == Filter::area) {  // the length that [s, s + 1] and the output pixel share
        return std::max(0.0, std::min<double>(s + 1, (i + 1) * scale) - std::max<double>(s, i * scale));
    }
    const double x = std::abs((s + 0.5 - (i + 0.5) * scale) / std::max(scale, 1.0));
    if (filter == Filter::linear) return std::max(0.0, 1 - x);
    if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;  // Keys, a = -0.5
    return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

std::vector<double> weights(Filter filter, int i, int source, int target) {
    std::vector<double> all;
    double sum = 0;
    for (int s = 0; s < source; ++s) sum += all.emplace_back(weight(filter, s, i, source, target));
    for (double& value : all) value /= sum;
    return all;
}

// The largest difference from the formula. `rounded` rounds rows to 8 bits before columns are made, as Pillow does.
double distance_from_formula(const Image& source, const Image& result, Filter filter) {
    std::vector<std::vector<double>> rows(static_cast<std::size_t>(source.height));
    for (int y = 0; y < source.height; ++y) {
        for (int x = 0; x < result.width; ++x) {
            const auto across = weights(filter, x, source.width, result.width);
            for (std::size_t c = 0; c < 3; ++c) {
                double sum = 0;
                for (int s = 0; s < source.width; ++s)
                    sum += across[static_cast<std::size_t>(s)] * pixel(source, s, y)[c];
                rows[static_cast<std::size_t>(y)].push_back(std::clamp(sum, 0.0, 255.0));
            }
        }
    }
    double largest = 0;
    for (int y = 0; y < result.height; ++y) {
        const auto down = weights(filter, y, source.height, result.height);
        for (std::size_t i = 0; i < rows[0].size(); ++i) {
            double sum = 0;
            for (std::size_t s = 0; s < rows.size(); ++s) sum += down[s] * rows[s][i];
            largest = std::max(largest, std::abs(std::clamp(sum, 0.0, 255.0) - result.row(y)[i]));
        }
    }
    return largest;
}

Image whole(const Image& source, int width, int height, Filter filter) {
    return resize(source, width, height, filter, {0, 0, width, height});
}

Image grey_row(const std::vector<std::uint8_t>& values) {
    std::vector<Colour> pixels;
    for (const std::uint8_t value : values) pixels.push_back({value, value, value});
    return from_pixels(static_cast<int>(values.size()), 1, pixels);
}

constexpr std::array<Filter, 3> all_filters{Filter::area, Filter::linear, Filter::cubic};

}  // namespace

TEST_CASE("resizing follows the kernel's formula", "[preprocess][resample]") {
    struct Case {
        int width, height, to_width, to_height;
    };
    const auto [width, height, to_width, to_height] =
        GENERATE(Case{40, 30, 20, 15}, Case{41, 31, 17, 13}, Case{40, 30, 39, 29}, Case{13, 11, 29, 23},
                 Case{64, 3, 11, 40}, Case{1, 1, 9, 7}, Case{97, 2, 5, 5}, Case{20, 20, 1, 1});
    const Image source = scene(width, height);
    for (const Filter filter : all_filters) {
        INFO(width << " x " << height << " to " << to_width << " x " << to_height << ", filter "
                   << static_cast<int>(filter));
        const Image result = whole(source, to_width, to_height, filter);
        REQUIRE(result.width == to_width);
        REQUIRE(result.height == to_height);
        // Two roundings to 8 bits; cubic's weights add up to at most 1.25 without their sign.
        CHECK(distance_from_formula(source, result, filter) <= (filter == Filter::cubic ? 1.2 : 1.01));
    }
}

TEST_CASE("resizing by hand", "[preprocess][resample]") {
    const auto row = [](const std::vector<std::uint8_t>& values, int width, Filter filter) {
        const Image result = whole(grey_row(values), width, 1, filter);
        std::vector<int> seen;
        for (int x = 0; x < width; ++x) seen.push_back(pixel(result, x, 0)[0]);
        return seen;
    };
    using Row = std::vector<int>;
    CHECK(row({10, 20, 30, 50}, 2, Filter::area) == Row{15, 40});
    CHECK(row({0, 90, 240}, 2, Filter::area) == Row{30, 190});  // (0 + 90/2) / 1.5, (90/2 + 240) / 1.5
    CHECK(row({7, 9}, 4, Filter::area) == Row{7, 7, 9, 9});
    CHECK(row({0, 100}, 4, Filter::linear) == Row{0, 25, 75, 100});
    // Halving: weights 1/8, 3/8, 3/8, 1/8 inside; 3/7, 3/7, 1/7 at the edge
    CHECK(row({0, 0, 80, 80, 0, 0}, 3, Filter::linear) == Row{11, 60, 11});
    // Doubling: weights -9/128, 111/128, 29/128, -3/128 a quarter pixel off
    CHECK(row({0, 0, 128, 128, 128, 128}, 12, Filter::cubic) ==
          Row{0, 0, 0, 26, 102, 137, 131, 128, 128, 128, 128, 128});
}

TEST_CASE("a picture of its own size stays as it is", "[preprocess][resample]") {
    const Image source = scene(33, 21);
    for (const Filter filter : all_filters) CHECK(whole(source, 33, 21, filter).rgb == source.rgb);
}

TEST_CASE("one colour stays that colour at any scale", "[preprocess][resample]") {
    for (const Filter filter : all_filters) {
        for (const int size : {1, 2, 3, 17, 255, 1000}) {
            for (const int target : {1, 5, 64, 224}) {
                const Image result = whole(flat(size, size, {255, 0, 77}), target, target, filter);
                REQUIRE(result.rgb == flat(target, target, {255, 0, 77}).rgb);
            }
        }
    }
}

TEST_CASE("a window is that part of the whole result", "[preprocess][resample]") {
    const Image source = scene(50, 70);
    for (const Filter filter : all_filters) {
        for (const auto& [width, height] : {std::pair{31, 43}, std::pair{90, 126}}) {
            const Image all = whole(source, width, height, filter);
            for (const Window window :
                 {Window{0, 0, 5, 6}, Window{7, 9, 20, 20}, Window{width - 4, height - 3, 4, 3}}) {
                const Image part = resize(source, width, height, filter, window);
                Image expected(window.width, window.height);
                for (int y = 0; y < window.height; ++y) {
                    std::copy_n(all.row(window.y + y) + std::ptrdiff_t{window.x} * 3, window.width * 3,
                                expected.row(y));
                }
                CHECK(part.rgb == expected.rgb);
            }
        }
    }
}

TEST_CASE("cubic overshoot is cut off at black and white", "[preprocess][resample]") {
    const Image result = whole(grey_row({0, 0, 255, 255, 0, 0}), 24, 1, Filter::cubic);
    int lowest = 255, highest = 0;
    for (const std::uint8_t value : result.rgb) {
        lowest = std::min<int>(lowest, value);
        highest = std::max<int>(highest, value);
    }
    CHECK(lowest == 0);
    CHECK(highest == 255);
    CHECK(pixel(result, 0, 0)[0] == 0);  // no wrapping round
    CHECK(pixel(result, 11, 0)[0] == 255);
}
