// See histogram.hpp.
#include "native/data/augment/histogram.hpp"

#include <ATen/ATen.h>

namespace ouaf {
namespace {

constexpr std::int64_t values = 256;

// [n, c] -> [n, 1, w * c], one operand for a whole row of pixels.
at::Tensor along_rows(const at::Tensor& channels, const at::Tensor& pictures) {
    return channels.unsqueeze(1).expand({-1, pictures.size(2), -1}).reshape({pictures.size(0), 1, -1});
}

}  // namespace

void equalise(at::Tensor& pictures) {
    const std::int64_t n = pictures.size(0);
    const std::int64_t channels = pictures.size(3);
    // Every channel of every picture has bins of its own.
    const at::Tensor starts =
        at::arange(n * channels, pictures.options().dtype(at::kLong)).view({n, channels}) * values;
    const at::Tensor places =
        pictures.view({n, pictures.size(1), -1}).round().to(at::kLong) + along_rows(starts, pictures);
    const at::Tensor counts = at::bincount(places.view(-1), {}, n * channels * values).view({n * channels, values});
    const at::Tensor up_to = counts.cumsum(1);
    const at::Tensor brightest = std::get<1>((counts > 0).to(at::kByte).flip(1).max(1, /*keepdim=*/true));
    const at::Tensor others = up_to.slice(1, values - 1) - counts.gather(1, values - 1 - brightest);
    const at::Tensor step = others.floor_divide(values - 1);
    const at::Tensor divisor = step.clamp_min(1);
    const at::Tensor level = (up_to - counts + divisor.floor_divide(2)).floor_divide(divisor).clamp(0, values - 1);
    const at::Tensor table = at::where(step > 0, level, at::arange(values, counts.options()));
    pictures = table.to(at::kFloat).view(-1).index_select(0, places.view(-1)).view(pictures.sizes());
}

void stretch_contrast(at::Tensor& pictures) {
    const std::int64_t n = pictures.size(0);
    at::Tensor rows = pictures.view({n, pictures.size(1), -1});
    const auto by_channel = [&](const at::Tensor& columns) {
        return columns.view({n, pictures.size(2), pictures.size(3)});
    };
    const at::Tensor least = by_channel(rows.amin(1)).amin(1);
    const at::Tensor span = by_channel(rows.amax(1)).amax(1) - least;
    const at::Tensor start = at::where(span > 0, least, 0.0f);
    const at::Tensor scale = at::where(span > 0, 255 / span, 1.0f);
    rows.sub_(along_rows(start, pictures)).mul_(along_rows(scale, pictures));
}

}  // namespace ouaf
