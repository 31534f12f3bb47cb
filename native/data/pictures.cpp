// See pictures.hpp.
#include "native/data/pictures.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>

namespace ouaf {

Pictures pictures_of(const PixelSet& set) {
    Pictures pictures;
    pictures.pixels = at::empty({set.count(), set.height, set.width, set.channels}, at::kByte);
    std::memcpy(pictures.pixels.data_ptr(), set.pixels.data(), set.pixels.size());
    pictures.aspects = at::full({set.count()}, static_cast<double>(set.width) / static_cast<double>(set.height));
    pictures.labels = at::tensor(set.labels);
    pictures.classes = set.classes;
    return pictures;
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
    const auto part = [&](const std::vector<at::Tensor>& places) {
        const at::Tensor rows = std::get<0>(at::cat(places).sort());
        return Pictures{pictures.pixels.index_select(0, rows), pictures.aspects.index_select(0, rows),
                        pictures.labels.index_select(0, rows), pictures.classes};
    };
    return {part(kept), part(taken)};
}

}  // namespace ouaf
