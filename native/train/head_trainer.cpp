// The convex problem of a linear head, and its starting point.
#include "native/train/head_trainer.hpp"

#include <ATen/ATen.h>
#include <torch/optim/lbfgs.h>

#include <algorithm>
#include <map>

namespace ouaf {
namespace {

at::Tensor matrix(std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
    return at::from_blob(values.data(), {rows, columns}).clone();
}

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.detach().contiguous();
    return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

}  // namespace

HeadStart start_head(const graph::HeadRows& backbone_rows, std::span<const ClassLabel> backbone_classes,
                     std::span<const ClassLabel> classes) {
    std::map<std::string, std::size_t> row_of;
    for (std::size_t i = 0; i < backbone_classes.size(); ++i) row_of.emplace(backbone_classes[i].id, i);

    const auto width = static_cast<std::size_t>(backbone_rows.width);
    HeadStart start;
    start.rows = {static_cast<std::int64_t>(classes.size()), backbone_rows.width,
                  std::vector<float>(classes.size() * width), std::vector<float>(classes.size())};
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto found = row_of.find(classes[c].id);
        start.known.push_back(found != row_of.end());
        if (found == row_of.end()) continue;
        const auto row = backbone_rows.weight.begin() + static_cast<std::ptrdiff_t>(found->second * width);
        std::copy_n(row, width, start.rows.weight.begin() + static_cast<std::ptrdiff_t>(c * width));
        start.rows.bias[c] = backbone_rows.bias[found->second];
    }
    return start;
}

graph::HeadRows fit_head(const at::Tensor& features, std::span<const std::int64_t> labels, const HeadStart& start,
                         const HeadRecipe& recipe, const std::function<void(int, double)>& report) {
    graph::HeadRows rows = start.rows;
    if (recipe.iterations == 0) return rows;

    // The bias is one more column, with a feature that is always 1.
    const at::Tensor inputs = at::cat({features, at::ones({features.size(0), 1})}, 1);
    const at::Tensor wanted = at::tensor(at::ArrayRef<std::int64_t>(labels.data(), labels.size()));
    const at::Tensor origin =
        at::cat({matrix(rows.weight, rows.classes, rows.width), matrix(rows.bias, rows.classes, 1)}, 1);
    at::Tensor strength = at::empty({rows.classes, 1});
    for (std::int64_t c = 0; c < rows.classes; ++c) {
        strength[c][0] = start.known[static_cast<std::size_t>(c)] ? recipe.pull_to_start : recipe.weight_decay;
    }

    at::Tensor weight = origin.clone().requires_grad_(true);
    torch::optim::LBFGSOptions options(1.0);
    options.max_iter(1).history_size(10).line_search_fn("strong_wolfe");
    torch::optim::LBFGS optimizer({weight}, options);
    const auto objective = [&] {
        optimizer.zero_grad();
        const at::Tensor cross_entropy = at::cross_entropy_loss(at::matmul(inputs, weight.t()), wanted);
        at::Tensor loss = cross_entropy + (strength * (weight - origin).square()).sum();
        loss.backward();
        return loss;
    };
    double previous = 0;
    for (int iteration = 1; iteration <= recipe.iterations; ++iteration) {
        const double loss = optimizer.step(objective).item<double>();  // before this step
        report(iteration, loss);
        constexpr double converged = 1e-6;  // of the loss; a thousandth of what one photo more or less right changes
        if (iteration > 1 && previous - loss < converged * loss) break;
        previous = loss;
    }
    rows.weight = to_vector(weight.narrow(1, 0, rows.width));
    rows.bias = to_vector(weight.narrow(1, rows.width, 1));
    return rows;
}

}  // namespace ouaf
