// Separable resampling: one table of integer weights an axis, then rows, then columns.
#include "shared/preprocess/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ouaf {
namespace {

constexpr int weight_bits = 22;  // 8 bits of colour, 2 bits of overshoot, and the sign fill an int32

// The source pixels that make output pixel i: weights[i * taps .. + count[i]] times the pixels from first[i] on.
struct Kernel {
    int taps = 0;
    std::vector<int> first;
    std::vector<int> count;
    std::vector<std::int32_t> weights;
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double keys_cubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

std::int32_t to_fixed(double weight) {
    const double scaled = weight * (1 << weight_bits);
    return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

// Weights for `length` output pixels from `start` on, of an axis resized from `source` to `target` pixels.
Kernel make_kernel(int source, int target, int start, int length, Filter filter) {
    const double scale = static_cast<double>(source) / target;
    const double stretch = std::max(scale, 1.0);
    const double support = filter == Filter::area ? scale / 2 : (filter == Filter::cubic ? 2.0 : 1.0) * stretch;

    Kernel kernel;
    kernel.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
    const auto size = static_cast<std::size_t>(length);
    kernel.first.resize(size);
    kernel.count.resize(size);
    kernel.weights.assign(size * static_cast<std::size_t>(kernel.taps), 0);
    std::vector<double> weights(static_cast<std::size_t>(kernel.taps));
    for (std::size_t i = 0; i < size; ++i) {
        const double centre = (start + static_cast<int>(i) + 0.5) * scale;
        int first, last;  // one past the end
        if (filter == Filter::area) {
            first = std::max(static_cast<int>(std::floor(centre - support)), 0);
            last = std::min(static_cast<int>(std::ceil(centre + support)), source);
        } else {
            first = std::max(static_cast<int>(std::floor(centre - support + 0.5)), 0);
            last = std::min(static_cast<int>(std::floor(centre + support + 0.5)), source);
        }
        last = std::min(last, first + kernel.taps);
        double sum = 0;
        for (int s = first; s < last; ++s) {
            double weight;
            if (filter == Filter::area) {
                weight = std::max(0.0, std::min(s + 1.0, centre + support) - std::max<double>(s, centre - support));
            } else {
                const double distance = (s - centre + 0.5) * (1.0 / stretch);
                weight = filter == Filter::cubic ? keys_cubic(distance) : triangle(distance);
            }
            weights[static_cast<std::size_t>(s - first)] = weight;
            sum += weight;
        }
        kernel.first[i] = first;
        kernel.count[i] = last - first;
        for (int k = 0; k < last - first; ++k) {
            kernel.weights[i * static_cast<std::size_t>(kernel.taps) + static_cast<std::size_t>(k)] =
                to_fixed(weights[static_cast<std::size_t>(k)] / sum);
        }
    }
    return kernel;
}

constexpr std::int32_t half = 1 << (weight_bits - 1);

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

void resample_row(const std::uint8_t* in, std::uint8_t* out, const Kernel& kernel) {
    const std::int32_t* weights = kernel.weights.data();
    for (std::size_t x = 0; x < kernel.first.size(); ++x, weights += kernel.taps) {
        const std::uint8_t* pixel = in + static_cast<std::ptrdiff_t>(kernel.first[x]) * 3;
        std::int32_t red = half, green = half, blue = half;
        for (int k = 0; k < kernel.count[x]; ++k, pixel += 3) {
            red += weights[k] * pixel[0];
            green += weights[k] * pixel[1];
            blue += weights[k] * pixel[2];
        }
        *out++ = to_byte(red);
        *out++ = to_byte(green);
        *out++ = to_byte(blue);
    }
}

}  // namespace

Image resize(const Image& source, int width, int height, Filter filter, Window window) {
    const Kernel across = make_kernel(source.width, width, window.x, window.width, filter);
    const Kernel down = make_kernel(source.height, height, window.y, window.height, filter);

    const int top = down.first.front();
    const int bottom = down.first.back() + down.count.back();
    Image rows(window.width, bottom - top);
    for (int y = top; y < bottom; ++y) resample_row(source.row(y), rows.row(y - top), across);

    Image result(window.width, window.height);
    const auto stride = static_cast<std::size_t>(window.width) * 3;
    std::vector<std::int32_t> sums(stride);
    for (int y = 0; y < window.height; ++y) {
        const auto i = static_cast<std::size_t>(y);
        const std::int32_t* weights = down.weights.data() + i * static_cast<std::size_t>(down.taps);
        std::fill(sums.begin(), sums.end(), half);
        for (int k = 0; k < down.count[i]; ++k) {
            const std::uint8_t* in = rows.row(down.first[i] - top + k);
            const std::int32_t weight = weights[k];
            for (std::size_t x = 0; x < stride; ++x) sums[x] += weight * in[x];
        }
        std::uint8_t* out = result.row(y);
        for (std::size_t x = 0; x < stride; ++x) out[x] = to_byte(sums[x]);
    }
    return result;
}

}  // namespace ouaf
