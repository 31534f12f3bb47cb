// See mistakes.hpp.
#include "native/evaluate/mistakes.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "native/evaluate/confusion.hpp"

namespace ouaf {

std::vector<Mistake> find_mistakes(const at::Tensor& logits, std::span<const std::int64_t> labels, double temperature) {
    const at::Tensor odds = at::log_softmax(logits.to(at::kDouble) / temperature, 1).contiguous();
    const std::vector<std::int64_t> predicted = predictions(logits);
    std::vector<Mistake> mistakes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (predicted[i] == labels[i]) continue;
        const double* row = odds.const_data_ptr<double>() + static_cast<std::int64_t>(i) * odds.size(1);
        mistakes.push_back({i, static_cast<std::size_t>(labels[i]), static_cast<std::size_t>(predicted[i]),
                            std::exp(row[labels[i]]), std::exp(row[predicted[i]]), -row[labels[i]]});
    }
    std::stable_sort(mistakes.begin(), mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.loss > b.loss; });
    return mistakes;
}

}  // namespace ouaf
