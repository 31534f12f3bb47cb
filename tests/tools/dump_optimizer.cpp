// Twelve steps of an optimizer on two tensors, printed for tests/reference/optimizers.py, which makes the same steps
// with PyTorch's and timm's. The gradient of step t is parameter - 1 + sin(t + place).
//
//     dump_optimizer NAME MOMENTUM NESTEROV WEIGHT_DECAY [beta2]
#include <ATen/ATen.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>

#include "native/train/optimizer.hpp"

int main(int count, char** arguments) {
    using namespace ouaf;
    if (count < 5) return 2;
    OptimizerRecipe recipe;
    const auto* name = std::find(std::begin(optimizer_names), std::end(optimizer_names), arguments[1]);
    recipe.kind = static_cast<OptimizerKind>(name - std::begin(optimizer_names));
    recipe.momentum = std::atof(arguments[2]);
    recipe.nesterov = std::atoi(arguments[3]) != 0;
    if (count > 5) recipe.beta2 = std::atof(arguments[5]);
    const auto number = at::TensorOptions(at::kDouble);
    std::vector<at::Tensor> parameters{at::linspace(-1, 2, 12, number).reshape({3, 4}),
                                       at::linspace(0.5, -0.5, 5, number)};
    for (at::Tensor& parameter : parameters) parameter.requires_grad_(true);
    Optimizer optimizer(recipe, {{{parameters[0]}, 1, std::atof(arguments[4])}, {{parameters[1]}, 0.5, 0}});
    for (int step = 1; step <= 12; ++step) {
        for (at::Tensor& parameter : parameters)
            parameter.mutable_grad() = parameter.detach() - 1 +
                                       at::sin(at::arange(parameter.numel(), number) + step).reshape(parameter.sizes());
        optimizer.step(0.01);
    }
    for (const at::Tensor& parameter : parameters)
        for (std::int64_t i = 0; i < parameter.numel(); ++i)
            std::printf("%.17g\n", parameter.detach().reshape(-1)[i].item<double>());
}
