// Crops come from the photo, mirror images from the crops.
#include "native/evaluate/views.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <span>

namespace ouaf {
namespace {

constexpr std::array five_places{CropPlace::centre, CropPlace::top_left, CropPlace::top_right, CropPlace::bottom_left,
                                 CropPlace::bottom_right};

std::span<const CropPlace> places_of(Tta tta) {
    const bool corners = tta == Tta::five_crop || tta == Tta::ten_crop;
    return std::span(five_places).first(corners ? five_places.size() : 1);
}

bool mirrors(Tta tta) { return tta == Tta::flip || tta == Tta::ten_crop; }

}  // namespace

std::int64_t view_count(Tta tta) { return static_cast<std::int64_t>(places_of(tta).size()) * (mirrors(tta) ? 2 : 1); }

void write_views(const DecodedPhoto& photo, const PreprocessSpec& spec, Tta tta, at::Tensor views) {
    std::int64_t next = 0;
    for (const CropPlace place : places_of(tta))
        normalise(crop_for_network(photo, spec, place), spec,
                  {views.select(0, next++).data_ptr<float>(), tensor_size(spec)});
    if (mirrors(tta)) views.narrow(0, next, next).copy_(views.narrow(0, 0, next).flip(3));
}

at::Tensor average_views(const at::Tensor& logits, double temperature) {
    const at::Tensor odds = at::log_softmax(logits / temperature, 2);
    return at::logsumexp(odds, 1) - std::log(static_cast<double>(logits.size(1)));
}

}  // namespace ouaf
