// See validation.hpp.
#include "native/train/validation.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "native/data/augment/whiten.hpp"

namespace ouaf {

at::Tensor answer_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form,
                           Processes& processes) {
    constexpr std::int64_t bytes_at_once = 8'000'000;  // 53 of 224 pixels a side; activations are many times that
    const std::int64_t at_once = std::clamp<std::int64_t>(bytes_at_once / pictures.pixels[0].numel(), 1, 256);
    const at::NoGradGuard no_gradients;
    network.mode.training = false;
    const at::Device device = network.parameters()[0].tensor.device();
    const at::Tensor logits = at::zeros({pictures.count(), static_cast<std::int64_t>(pictures.classes.size())});
    const std::int64_t end = pictures.count() * (processes.rank() + 1) / processes.count();
    for (std::int64_t first = pictures.count() * processes.rank() / processes.count(); first < end; first += at_once) {
        const at::Tensor places = at::arange(first, std::min(first + at_once, end), at::kLong);
        at::Tensor images = normalised(pictures.gather(places), form.mean, form.std).to(device);
        images = whiten(images.permute({0, 2, 3, 1}), form).permute({0, 3, 1, 2});
        logits.slice(0, first, first + places.size(0)).copy_(network.forward(images));
    }
    processes.sum(logits);  // where the others looked, this one has zeros
    return logits;
}

Accuracy measure_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form,
                          Processes& processes) {
    const at::Tensor logits = answer_pictures(network, pictures, form, processes);
    const at::Tensor labels = pictures.labels.contiguous();
    return measure(logits, {labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())}, 1);
}

}  // namespace ouaf
