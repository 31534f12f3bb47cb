// The optimizers, each over all parameters of a group at once.
//
// They compute what PyTorch's of the same name compute (torch.optim: SGD, RMSprop, Adam, AdamW, Adamax, NAdam); Lion as
// in Chen et al. 2023, https://arxiv.org/abs/2302.06675, LAMB as in You et al. 2020, https://arxiv.org/abs/1904.00962,
// both with weight decay apart from the gradient.
//
//     Optimizer optimizer(recipe, {{network_weights, 1.0, 0.05}, {biases, 1.0, 0.0}});
//     loss.backward();
//     optimizer.step(learning_rate);
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf {

enum class OptimizerKind { sgd, rmsprop, adam, adamw, adamax, nadam, lion, lamb };

inline constexpr std::string_view optimizer_names[]{"sgd",    "rmsprop", "adam", "adamw",
                                                    "adamax", "nadam",   "lion", "lamb"};

struct OptimizerRecipe {
    OptimizerKind kind = OptimizerKind::adamw;
    double momentum = 0.9;  // sgd, rmsprop
    bool nesterov = false;  // sgd
    double alpha = 0.99;    // rmsprop: how much of the mean square is kept
    double beta1 = 0.9;     // the others: how much of the mean gradient is kept
    double beta2 = 0.999;   // and of the mean square
    double epsilon = 1e-8;
};

struct ParameterGroup {
    std::vector<at::Tensor> parameters;
    double rate = 1;  // times the step's learning rate
    double weight_decay = 0;
};

class Optimizer {
 public:
    Optimizer(const OptimizerRecipe& recipe, std::vector<ParameterGroup> groups);

    // Moves every parameter that has a gradient; the gradients are used up.
    void step(double learning_rate);

    // Gives all gradients back.
    void clear_gradients();

    // Everything that the next step depends on, beside the parameters: in place, to be saved and to be filled again.
    struct State {
        std::vector<at::Tensor> tensors;
        std::int64_t steps = 0;
    };
    const State& state() const { return state_; }
    void set_state(const State& state);

 private:
    OptimizerRecipe recipe_;
    std::vector<ParameterGroup> groups_;
    State state_;  // tensors: the means of all parameters in order where the optimizer has them, then the mean squares
    double momenta_ = 1;  // nadam's product of momenta; follows from the steps
    bool has_mean_ = false;
    std::optional<std::size_t> squares_;  // where they begin
};

// Of all parameters that have one.
std::vector<at::Tensor> gradients_of(std::span<const ParameterGroup> groups);

// The norm of all gradients together; where it is above `most` they are scaled down to it. 0: only measured.
double clip_gradients(std::span<const ParameterGroup> groups, double most);

}  // namespace ouaf
