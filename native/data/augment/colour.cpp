// See colour.hpp. Channels lie innermost: an operand that differs by channel is repeated along a whole row of pixels,
// as loops of three elements cost ten times what long ones do.
#include "native/data/augment/colour.hpp"

#include <ATen/ATen.h>

#include "native/data/augment/draws.hpp"
#include "native/data/augment/histogram.hpp"

namespace ouaf {
namespace {

at::Tensor grey_weights(const at::Tensor& pictures) {
    return pictures.size(3) == 3 ? at::tensor({0.299f, 0.587f, 0.114f}, pictures.options())
                                 : at::ones({1}, pictures.options());
}

// [n, 1, 1, 1]
at::Tensor mean_grey(const at::Tensor& pictures) {
    const std::int64_t n = pictures.size(0);
    const at::Tensor columns = pictures.view({n, pictures.size(1), -1}).sum(1);
    const at::Tensor channels = columns.view({n, pictures.size(2), pictures.size(3)}).sum(1);
    return (channels.matmul(grey_weights(pictures)) / static_cast<double>(pictures.size(1) * pictures.size(2)))
        .view({n, 1, 1, 1});
}

}  // namespace

void scale_brightness(at::Tensor& pictures, const at::Tensor& factors) {
    pictures.mul_(each_picture(factors, pictures)).clamp_(0, 255);
}

void scale_contrast(at::Tensor& pictures, const at::Tensor& factors) {
    const at::Tensor factor = each_picture(factors, pictures);
    const at::Tensor rest = mean_grey(pictures) * (1 - factor);
    pictures.mul_(factor).add_(rest).clamp_(0, 255);
}

void scale_saturation(at::Tensor& pictures, const at::Tensor& factors) {
    if (pictures.size(3) != 3) return;
    // A mixture of the identity and of grey is one matrix of the channels.
    const at::Tensor factor = each_picture(factors, pictures).view({-1, 1, 1});
    const at::Tensor to_grey = grey_weights(pictures).view({1, 3, 1}).expand({1, 3, 3});
    const at::Tensor matrix = at::eye(3, pictures.options()) * factor + to_grey * (1 - factor);
    const at::Tensor pixels = pictures.view({pictures.size(0), -1, 3});
    pictures = at::bmm(pixels, matrix).view(pictures.sizes()).clamp_(0, 255);
}

void turn_hue(at::Tensor& pictures, const at::Tensor& turns) {
    if (pictures.size(3) != 3) return;
    const at::Tensor red = pictures.select(3, 0);
    const at::Tensor green = pictures.select(3, 1);
    const at::Tensor blue = pictures.select(3, 2);
    const at::Tensor most = at::maximum(at::maximum(red, green), blue);
    const at::Tensor span = most - at::minimum(at::minimum(red, green), blue);
    // Hue in sixths of the circle; grey pixels have a span of 0, which keeps them whatever their hue.
    const at::Tensor divisor = span.clamp_min(1e-6);
    const at::Tensor hue =
        at::where(most == red, (green - blue) / divisor,
                  at::where(most == green, (blue - red) / divisor + 2, (red - green) / divisor + 4)) +
        6 * each_picture(turns, pictures).view({-1, 1, 1});
    // Back from HSV without its six cases: a channel falls from the largest value by the span times a trapezium of the
    // hue.
    constexpr std::array places{5, 3, 1};
    for (std::int64_t channel = 0; channel < 3; ++channel) {
        const at::Tensor place = (hue + places.at(static_cast<std::size_t>(channel))).remainder(6);
        const at::Tensor fall = at::minimum(place, 4 - place).clamp_(0, 1).mul_(span);
        pictures.select(3, channel).copy_(most - fall);
    }
}

void scale_sharpness(at::Tensor& pictures, const at::Tensor& factors) {
    const std::int64_t high = pictures.size(1);
    const std::int64_t wide = pictures.size(2);
    if (high < 3 || wide < 3) return;
    const auto shifted = [](const at::Tensor& from, std::int64_t axis, std::int64_t by) {
        return from.slice(axis, by, from.size(axis) - 2 + by);
    };
    const auto three = [&](const at::Tensor& from, std::int64_t axis) {
        return (shifted(from, axis, 0) + shifted(from, axis, 1)).add_(shifted(from, axis, 2));
    };
    at::Tensor inner = pictures.slice(1, 1, high - 1).slice(2, 1, wide - 1);
    // All nine pixels, the middle one five times.
    const at::Tensor smooth = three(three(pictures, 1), 2).add_(inner, 4).div_(13);
    const at::Tensor factor = each_picture(factors, pictures);
    inner.mul_(factor).add_(smooth.mul_(1 - factor)).clamp_(0, 255);
}

void posterise(at::Tensor& pictures, const at::Tensor& bits) {
    const at::Tensor step = at::exp2(8 - each_picture(bits, pictures));
    pictures.div_(step).floor_().mul_(step);
}

void solarise(at::Tensor& pictures, const at::Tensor& thresholds) {
    const at::Tensor bright = pictures >= each_picture(thresholds, pictures);
    pictures = at::where(bright, 255 - pictures, pictures);
}

void change_chosen(at::Tensor& pictures, const at::Tensor& chosen, const std::function<void(at::Tensor&)>& change) {
    const at::Tensor places = chosen.nonzero().view(-1);
    if (places.numel() == 0) return;
    if (places.numel() == pictures.size(0)) return change(pictures);
    const at::Tensor rows = places.to(pictures.device());
    at::Tensor part = pictures.index_select(0, rows);
    change(part);
    pictures.index_copy_(0, rows, part);
}

Jitter Jitter::part(std::int64_t first, std::int64_t last) const {
    const auto of = [&](const at::Tensor& draws) { return part_of(draws, first, last); };
    return {of(equalise), of(brightness), of(contrast), of(saturation), of(hue), of(grey)};
}

Jitter draw_jitter(std::int64_t n, const AugmentRecipe& recipe, at::Generator& generator) {
    const auto chosen = [&](double likely) { return likely > 0 ? happens(n, likely, generator) : at::Tensor(); };
    const auto around = [&](double middle, double by) {
        return by > 0 ? uniform(n, middle - by, middle + by, generator) : at::Tensor();
    };
    Jitter jitter;
    jitter.equalise = chosen(recipe.equalise);
    if (recipe.brightness != std::array<double, 2>{1, 1})
        jitter.brightness = uniform(n, recipe.brightness[0], recipe.brightness[1], generator);
    jitter.contrast = around(1, recipe.contrast);
    jitter.saturation = around(1, recipe.saturation);
    jitter.hue = around(0, recipe.hue);
    jitter.grey = chosen(recipe.grey);
    return jitter;
}

void recolour(at::Tensor& pictures, const Jitter& jitter) {
    if (jitter.equalise.defined()) change_chosen(pictures, jitter.equalise, equalise);
    if (jitter.brightness.defined()) scale_brightness(pictures, jitter.brightness);
    if (jitter.contrast.defined()) scale_contrast(pictures, jitter.contrast);
    if (jitter.saturation.defined()) scale_saturation(pictures, jitter.saturation);
    if (jitter.hue.defined()) turn_hue(pictures, jitter.hue);
    if (jitter.grey.defined())
        change_chosen(pictures, jitter.grey,
                      [](at::Tensor& part) { scale_saturation(part, at::zeros({part.size(0)})); });
}

}  // namespace ouaf
