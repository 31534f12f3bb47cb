// See pictures.hpp.
#include "native/data/pictures.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <cstring>

namespace ouaf {

at::Tensor Pictures::gather(const at::Tensor& places) const {
    return pixels.index_select(0, rows.index_select(0, places));
}

Pictures pictures_of(const PixelSet& set) {
    Pictures pictures;
    pictures.pixels = at::empty({set.count(), set.height, set.width, set.channels}, at::kByte);
    std::memcpy(pictures.pixels.data_ptr(), set.pixels.data(), set.pixels.size());
    pictures.rows = at::arange(set.count(), at::kLong);
    pictures.aspects = at::full({set.count()}, static_cast<double>(set.width) / static_cast<double>(set.height));
    pictures.labels = at::tensor(set.labels);
    pictures.classes = set.classes;
    return pictures;
}

Pictures pictures_of(const StoredPhotos& stored, const Dataset& data) {
    std::vector<std::int64_t> labels;
    for (const std::size_t sample : stored.samples)
        labels.push_back(static_cast<std::int64_t>(data.samples[sample].label));
    return {stored.pixels, stored.rows, stored.aspects, at::tensor(labels, at::kLong), data.classes};
}

std::pair<Pictures, Pictures> split_pictures(const Pictures& pictures, double share, std::uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    std::vector<at::Tensor> kept;
    std::vector<at::Tensor> taken;
    for (std::size_t c = 0; c < pictures.classes.size(); ++c) {
        const at::Tensor places = (pictures.labels == static_cast<std::int64_t>(c)).nonzero().squeeze(1);
        const at::Tensor shuffled = places.index({at::randperm(places.size(0), generator)});
        const auto count = static_cast<std::int64_t>(std::lround(share * static_cast<double>(places.size(0))));
        taken.push_back(shuffled.slice(0, 0, count));
        kept.push_back(shuffled.slice(0, count));
    }
    const auto part = [&](const std::vector<at::Tensor>& parts) {
        const at::Tensor places = std::get<0>(at::cat(parts).sort());
        return Pictures{pictures.pixels, pictures.rows.index_select(0, places),
                        pictures.aspects.index_select(0, places), pictures.labels.index_select(0, places),
                        pictures.classes};
    };
    return {part(kept), part(taken)};
}

at::Tensor normalised(const at::Tensor& pictures, std::span<const float> mean, std::span<const float> std) {
    const auto channels = static_cast<std::size_t>(pictures.size(3));
    std::vector<std::array<float, 256>> tables;
    for (std::size_t c = 0; c < channels; ++c) tables.push_back(normalised_values(mean[c], std[c]));
    const at::Tensor bytes = pictures.contiguous();
    at::Tensor values = at::empty(bytes.sizes(), at::kFloat);
    const auto* in = bytes.const_data_ptr<std::uint8_t>();
    auto* out = values.data_ptr<float>();
    const std::int64_t pixels = bytes.numel() / pictures.size(3);
    constexpr std::int64_t at_once = 1 << 14;
    at::parallel_for(0, pixels, at_once, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            for (std::size_t c = 0; c < channels; ++c) out[i * channels + c] = tables[c][in[i * channels + c]];
    });
    return values.permute({0, 3, 1, 2});
}

}  // namespace ouaf
