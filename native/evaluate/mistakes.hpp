// The samples that a model gets wrong.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ouaf {

struct Mistake {
    std::size_t row = 0;  // of the logits
    std::size_t label = 0;
    std::size_t predicted = 0;
    double label_probability = 0;
    double predicted_probability = 0;
    double loss = 0;  // cross-entropy, nats
};

// Of logits [n, classes], divided by the temperature before the softmax, against n labels: the greatest loss first,
// equal ones in the order of their rows.
std::vector<Mistake> find_mistakes(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature);

}  // namespace ouaf
