// See whiten.hpp.
#include "native/data/augment/whiten.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>

#include "native/data/augment.hpp"

namespace ouaf {
namespace {

constexpr std::int64_t most_pictures = 10'000;
constexpr std::int64_t most_side = 64;

struct Sample {
    at::Tensor pictures, aspects;
    PictureForm form;  // nothing subtracted, divided by 1

    std::int64_t count() const { return aspects.size(0); }

    // Some pictures at a time, [k, side, side, c] float64 in 0..1.
    void each_part(const std::function<void(const at::Tensor&)>& take) const {
        constexpr std::int64_t at_once = 256;
        for (std::int64_t first = 0; first < count(); first += at_once) {
            const std::int64_t last = std::min(first + at_once, count());
            const at::Tensor images = plain(pictures.slice(0, first, last), aspects.slice(0, first, last), form);
            take(images.permute({0, 2, 3, 1}).to(at::kDouble).contiguous());
        }
    }
};

Sample sample_of(const PictureForm& form, const at::Tensor& pictures, const at::Tensor& aspects) {
    const std::int64_t n = pictures.size(0);
    const std::int64_t taken = std::min(n, most_pictures);
    const at::Tensor places = (at::arange(taken, at::kLong) * n).floor_divide(taken);
    return {pictures.index_select(0, places.to(pictures.device())),
            aspects.index_select(0, places.to(aspects.device())),
            {form.side, {0, 0, 0}, {1, 1, 1}}};
}

// [c] each
struct Moments {
    at::Tensor mean, variance;
};

Moments moments_of(const Sample& sample) {
    const auto options = sample.pictures.options().dtype(at::kDouble);
    const std::int64_t channels = sample.pictures.size(3);
    at::Tensor sum = at::zeros({channels}, options);
    at::Tensor squares = at::zeros({channels}, options);
    sample.each_part([&](const at::Tensor& images) {
        sum += images.sum(at::IntArrayRef{0, 1, 2});
        squares += images.square().sum(at::IntArrayRef{0, 1, 2});
    });
    const auto values = static_cast<double>(sample.count() * sample.form.side * sample.form.side);
    const at::Tensor mean = sum / values;
    return {mean, (squares / values - mean.square()).clamp_min(0)};
}

// The singular values and left vectors of the pictures are the roots of the eigenvalues of their Gram matrix and its
// vectors, which is made a few pictures at a time.
at::Tensor whitening_of(const Sample& sample, const at::Tensor& mean, double epsilon) {
    const std::int64_t length = sample.form.side * sample.form.side * sample.pictures.size(3);
    at::Tensor gram = at::zeros({length, length}, mean.options());
    sample.each_part([&](const at::Tensor& images) {
        const at::Tensor rows = (images - mean).view({images.size(0), length});
        gram.addmm_(rows.t(), rows);
    });
    const auto [values, vectors] = at::linalg_eigh(gram);
    // Fewer pictures than values span fewer directions; the others are left out. Eigenvalues ascend.
    const std::int64_t first = std::max<std::int64_t>(0, length - sample.count());
    const at::Tensor singular = values.slice(0, first).clamp_min(0).sqrt();
    const at::Tensor kept = vectors.slice(1, first);
    const double root = std::sqrt(static_cast<double>(sample.count()));
    return (kept * (root / (singular + epsilon))).matmul(kept.t()).to(at::kFloat);
}

}  // namespace

PictureForm fit_form(const PictureForm& form, const at::Tensor& pictures, const at::Tensor& aspects,
                     const AugmentRecipe& recipe) {
    if (recipe.whiten == Whitening::none) return form;
    const bool zca = recipe.whiten == Whitening::zca;
    if (zca && form.side > most_side)
        throw std::runtime_error("whiten = \"zca\": pictures of " + std::to_string(form.side) +
                                 " px would need a matrix of (side * side * channels)^2 values; it is made for at most "
                                 "64 px, use \"featurewise\"");
    const Sample sample = sample_of(form, pictures, aspects);
    const Moments moments = moments_of(sample);
    PictureForm fitted = form;
    for (std::int64_t channel = 0; channel < pictures.size(3); ++channel) {
        const auto place = static_cast<std::size_t>(channel);
        fitted.mean.at(place) = moments.mean[channel].item<float>();
        fitted.std.at(place) = zca ? 1 : moments.variance[channel].sqrt().item<float>() + 1e-6F;
    }
    if (zca) fitted.whitening = whitening_of(sample, moments.mean, recipe.zca_epsilon);
    return fitted;
}

at::Tensor whiten(const at::Tensor& images, const PictureForm& form) {
    if (!form.whitening.defined()) return images;
    return images.view({images.size(0), -1}).matmul(form.whitening.to(images.device())).view(images.sizes());
}

}  // namespace ouaf
