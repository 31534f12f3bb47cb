// One operation of the changes of pictures, by name, for tests/reference/augment.py.
//
//     dump_augment NAME VALUES… < PICTURES > RESULTS
//
// PICTURES: int64 n, h, w, c and then n * h * w * c bytes. RESULTS: float32, [n, h, w, c] in 0..255. VALUES: one
// factor, or what the operation takes:
//     cut_out SIDE CENTRE_X CENTRE_Y WIDTH HEIGHT MIRROR
//     rand_augment MAGNITUDE: picture i draws operation i / 2 and the sign of (-1)^i
//     whiten KIND EPSILON: normalised by what was fitted to all of them
#include <ATen/ATen.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "native/data/augment.hpp"
#include "native/data/augment/colour.hpp"
#include "native/data/augment/histogram.hpp"
#include "native/data/augment/rand_augment.hpp"
#include "native/data/augment/whiten.hpp"

namespace {

using namespace ouaf;
using Values = std::vector<double>;

at::Tensor read_pictures() {
    std::int64_t shape[4];
    if (std::fread(shape, sizeof shape, 1, stdin) != 1) std::exit(2);
    at::Tensor pictures = at::empty(shape, at::kByte);
    const auto bytes = static_cast<std::size_t>(pictures.numel());
    if (std::fread(pictures.mutable_data_ptr<std::uint8_t>(), 1, bytes, stdin) != bytes) std::exit(2);
    return pictures;
}

at::Tensor run(const std::string& name, const Values& values, const at::Tensor& bytes) {
    const std::int64_t n = bytes.size(0);
    const auto each = [&](double value) { return at::full({n}, value); };
    if (name == "cut_out") {
        const Poses poses{each(values[1]), each(values[2]), each(values[3]), each(values[4]), each(values[5]), each(0),
                          each(0),         each(0),         each(0),         each(1),         each(1)};
        return cut_out(bytes, poses, static_cast<std::int64_t>(values[0]));
    }
    if (name == "whiten") {
        const AugmentRecipe recipe{.whiten = static_cast<Whitening>(values[0]), .zca_epsilon = values[1]};
        const PictureForm form = fit_form({.side = bytes.size(1)}, bytes, each(1), recipe);
        return plain(bytes, each(1), form).permute({0, 2, 3, 1});
    }
    at::Tensor pictures = bytes.to(at::kFloat);
    if (name == "rand_augment") {
        const at::Tensor places = at::arange(n, at::kLong).view({n, 1});
        const at::Tensor signs = 1 - 2 * places.remainder(2).to(at::kFloat);
        apply({places.floor_divide(2), signs, static_cast<int>(values[0])}, pictures);
        return pictures;
    }
    using Change = void (*)(at::Tensor&, const at::Tensor&);
    const std::map<std::string, Change> by_factor{{"brightness", scale_brightness},
                                                  {"contrast", scale_contrast},
                                                  {"saturation", scale_saturation},
                                                  {"hue", turn_hue},
                                                  {"sharpness", scale_sharpness},
                                                  {"posterise", posterise},
                                                  {"solarise", solarise}};
    if (name == "equalise") equalise(pictures);
    else if (name == "auto_contrast") stretch_contrast(pictures);
    else by_factor.at(name)(pictures, each(values.at(0)));
    return pictures;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) return 2;
    Values values;
    for (int i = 2; i < count; ++i) values.push_back(std::atof(arguments[i]));
    const at::Tensor result = run(arguments[1], values, read_pictures()).contiguous();
    std::fwrite(result.const_data_ptr<float>(), sizeof(float), static_cast<std::size_t>(result.numel()), stdout);
}
