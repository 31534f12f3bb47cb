// See optimizer.hpp. SGD, Adam and AdamW are LibTorch's fused kernels, one pass over memory; the others are written in
// its operators over lists.
#include "native/train/optimizer.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <stdexcept>

namespace ouaf {
namespace {

using Tensors = std::vector<at::Tensor>;

// The parameters of one group that have a gradient, with what belongs to them.
struct Lists {
    Tensors parameters;
    Tensors gradients;
    Tensors mean;    // of the gradient, or its momentum; empty where the optimizer has none
    Tensors square;  // the mean square
};

struct Step {
    const OptimizerRecipe& recipe;
    double learning_rate;
    double weight_decay;
    std::int64_t number;  // from 1
    double momenta;       // nadam: the product of all steps' momenta up to this one
};

void decay_into_gradients(Lists& lists, const Step& step) {
    if (step.weight_decay != 0) at::_foreach_add_(lists.gradients, lists.parameters, step.weight_decay);
}

void decay_parameters(Lists& lists, const Step& step) {
    if (step.weight_decay != 0) at::_foreach_mul_(lists.parameters, 1 - step.learning_rate * step.weight_decay);
}

void move_means(Lists& lists, const Step& step) {
    at::_foreach_lerp_(lists.mean, lists.gradients, 1 - step.recipe.beta1);
    at::_foreach_mul_(lists.square, step.recipe.beta2);
    at::_foreach_addcmul_(lists.square, lists.gradients, lists.gradients, 1 - step.recipe.beta2);
}

// sqrt(mean square, freed of its start at 0) + epsilon
Tensors root_mean_squares(const Lists& lists, const Step& step) {
    Tensors roots = at::_foreach_sqrt(lists.square);
    at::_foreach_div_(roots, std::sqrt(1 - std::pow(step.recipe.beta2, static_cast<double>(step.number))));
    at::_foreach_add_(roots, step.recipe.epsilon);
    return roots;
}

void sgd(Lists& lists, const Step& step) {
    const bool first = step.number == 1;
    at::_fused_sgd_(lists.parameters, lists.gradients, lists.mean, step.weight_decay, step.recipe.momentum,
                    step.learning_rate, 0, step.recipe.nesterov, false, first);
}

void rmsprop(Lists& lists, const Step& step) {
    decay_into_gradients(lists, step);
    at::_foreach_mul_(lists.square, step.recipe.alpha);
    at::_foreach_addcmul_(lists.square, lists.gradients, lists.gradients, 1 - step.recipe.alpha);
    Tensors roots = at::_foreach_sqrt(lists.square);
    at::_foreach_add_(roots, step.recipe.epsilon);
    if (step.recipe.momentum == 0) {
        at::_foreach_addcdiv_(lists.parameters, lists.gradients, roots, -step.learning_rate);
        return;
    }
    at::_foreach_mul_(lists.mean, step.recipe.momentum);
    at::_foreach_addcdiv_(lists.mean, lists.gradients, roots);
    at::_foreach_add_(lists.parameters, lists.mean, -step.learning_rate);
}

void adam(Lists& lists, const Step& step) {
    const at::Tensor number =
        at::full({}, static_cast<double>(step.number), lists.parameters[0].options().dtype(at::kFloat));
    const Tensors numbers(lists.parameters.size(), number);
    const auto with = [&](const auto& fused) {
        fused(lists.parameters, lists.gradients, lists.mean, lists.square, Tensors{}, numbers, step.learning_rate,
              step.recipe.beta1, step.recipe.beta2, step.weight_decay, step.recipe.epsilon, false, false);
    };
    if (step.recipe.kind == OptimizerKind::adamw) with([](const auto&... each) { at::_fused_adamw_(each...); });
    else with([](const auto&... each) { at::_fused_adam_(each...); });
}

void adamax(Lists& lists, const Step& step) {
    decay_into_gradients(lists, step);
    at::_foreach_lerp_(lists.mean, lists.gradients, 1 - step.recipe.beta1);
    at::_foreach_mul_(lists.square, step.recipe.beta2);
    at::_foreach_abs_(lists.gradients);
    at::_foreach_add_(lists.gradients, step.recipe.epsilon);
    at::_foreach_maximum_(lists.square, lists.gradients);
    const double started = 1 - std::pow(step.recipe.beta1, static_cast<double>(step.number));
    at::_foreach_addcdiv_(lists.parameters, lists.mean, lists.square, -step.learning_rate / started);
}

// The momentum of step `number` in Dozat 2016's schedule, with PyTorch's decay of 0.004.
double nadam_momentum(double beta1, std::int64_t number) {
    return beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(number) * 0.004));
}

void nadam(Lists& lists, const Step& step) {
    decay_into_gradients(lists, step);
    move_means(lists, step);
    const double product = step.momenta;
    const double now = nadam_momentum(step.recipe.beta1, step.number);
    const double next = nadam_momentum(step.recipe.beta1, step.number + 1);
    const Tensors roots = root_mean_squares(lists, step);
    at::_foreach_addcdiv_(lists.parameters, lists.gradients, roots, -step.learning_rate * (1 - now) / (1 - product));
    at::_foreach_addcdiv_(lists.parameters, lists.mean, roots, -step.learning_rate * next / (1 - product * next));
}

void lion(Lists& lists, const Step& step) {
    decay_parameters(lists, step);
    Tensors update = at::_foreach_lerp(lists.mean, lists.gradients, 1 - step.recipe.beta1);
    at::_foreach_sign_(update);
    at::_foreach_add_(lists.parameters, update, -step.learning_rate);
    at::_foreach_lerp_(lists.mean, lists.gradients, 1 - step.recipe.beta2);
}

void lamb(Lists& lists, const Step& step) {
    move_means(lists, step);
    Tensors update = at::_foreach_div(lists.mean, root_mean_squares(lists, step));
    at::_foreach_div_(update, 1 - std::pow(step.recipe.beta1, static_cast<double>(step.number)));
    if (step.weight_decay != 0) at::_foreach_add_(update, lists.parameters, step.weight_decay);
    // A step as long as the weights are, layer by layer.
    Tensors lengths = at::_foreach_norm(lists.parameters);
    const Tensors steps = at::_foreach_norm(update);
    for (std::size_t i = 0; i < lengths.size(); ++i)
        lengths[i] = at::where((lengths[i] > 0).logical_and(steps[i] > 0), lengths[i] / steps[i], 1.0);
    at::_foreach_mul_(update, lengths);
    at::_foreach_add_(lists.parameters, update, -step.learning_rate);
}

void move(Lists& lists, const Step& step) {
    switch (step.recipe.kind) {
        case OptimizerKind::sgd: return sgd(lists, step);
        case OptimizerKind::rmsprop: return rmsprop(lists, step);
        case OptimizerKind::adam:
        case OptimizerKind::adamw: return adam(lists, step);
        case OptimizerKind::adamax: return adamax(lists, step);
        case OptimizerKind::nadam: return nadam(lists, step);
        case OptimizerKind::lion: return lion(lists, step);
        case OptimizerKind::lamb: return lamb(lists, step);
    }
}

}  // namespace

Optimizer::Optimizer(const OptimizerRecipe& recipe, std::vector<ParameterGroup> groups)
    : recipe_(recipe), groups_(std::move(groups)) {
    using enum OptimizerKind;
    const bool has_mean = (recipe.kind != sgd && recipe.kind != rmsprop) || recipe.momentum != 0;
    const bool has_square = recipe.kind != sgd && recipe.kind != lion;
    const auto add_moment = [&] {
        for (const ParameterGroup& group : groups_)
            for (const at::Tensor& parameter : group.parameters)
                state_.tensors.push_back(at::zeros_like(parameter.detach()));
    };
    if (has_mean) add_moment();
    if (has_square) {
        squares_ = state_.tensors.size();
        add_moment();
    }
    has_mean_ = has_mean;
}

void Optimizer::step(double learning_rate) {
    const at::NoGradGuard no_gradients;
    ++state_.steps;
    momenta_ *= nadam_momentum(recipe_.beta1, state_.steps);
    std::size_t place = 0;
    for (const ParameterGroup& group : groups_) {
        Lists lists;
        for (const at::Tensor& parameter : group.parameters) {
            const std::size_t i = place++;
            if (!parameter.grad().defined()) continue;
            lists.parameters.push_back(parameter);
            lists.gradients.push_back(parameter.grad());
            if (has_mean_) lists.mean.push_back(state_.tensors[i]);
            if (squares_) lists.square.push_back(state_.tensors[*squares_ + i]);
        }
        if (lists.parameters.empty()) continue;
        move(lists, {recipe_, learning_rate * group.rate, group.weight_decay, state_.steps, momenta_});
        // LibTorch's fused kernels change tensors without counting it, and what is made from a weight, such as a
        // convolution's reordered one, is made again only where its count has moved.
        for (const at::Tensor& parameter : lists.parameters) parameter.unsafeGetTensorImpl()->bump_version();
    }
}

void Optimizer::clear_gradients() {
    for (const ParameterGroup& group : groups_)
        for (const at::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
}

void Optimizer::set_state(const State& state) {
    if (state.tensors.size() != state_.tensors.size())
        throw std::runtime_error("the optimizer's state is of " + std::to_string(state.tensors.size()) +
                                 " tensors, and the recipe's optimizer has " + std::to_string(state_.tensors.size()));
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < state.tensors.size(); ++i) state_.tensors[i].copy_(state.tensors[i]);
    state_.steps = state.steps;
    momenta_ = 1;
    for (std::int64_t i = 1; i <= state_.steps; ++i) momenta_ *= nadam_momentum(recipe_.beta1, i);
}

std::vector<at::Tensor> gradients_of(std::span<const ParameterGroup> groups) {
    Tensors gradients;
    for (const ParameterGroup& group : groups)
        for (const at::Tensor& parameter : group.parameters)
            if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    return gradients;
}

double clip_gradients(std::span<const ParameterGroup> groups, double most) {
    const at::NoGradGuard no_gradients;
    const Tensors gradients = gradients_of(groups);
    if (gradients.empty()) return 0;
    const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
    if (most > 0 && norm > most)
        at::_foreach_mul_(gradients, most / (norm + 1e-6));  // as torch.nn.utils' clip_grad_norm_
    return norm;
}

}  // namespace ouaf
