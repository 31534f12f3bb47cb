// How a stage is saved, goes on where it was, and is changed on the way. See fit.hpp.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "native/train/fit.hpp"

namespace ouaf {

Checkpoint Fit::checkpoint() {
    Checkpoint saved;
    std::size_t next = 0;
    for (const graph::Parameter& weight : weights()) {
        saved.tensors["weights." + weight.name] = weight.tensor;
        if (!average_.empty()) saved.tensors["average." + weight.name] = average_[next++];
    }
    const Optimizer::State& state = optimizer_.state();
    for (std::size_t i = 0; i < state.tensors.size(); ++i)
        saved.tensors["optimizer." + std::to_string(i)] = state.tensors[i];
    for (const auto& [name, steps] : grid_.steps()) saved.tensors["steps." + name] = steps;
    saved.tensors["random"] = generator_.get_state();
    saved.tensors["order"] = order_;
    saved.facts = nlohmann::ordered_json{{"stage", place_in_run_.stage},
                                         {"epochs_before", place_in_run_.epochs_before},
                                         {"epoch", epoch_},
                                         {"place", place_},
                                         {"steps", state.steps},
                                         {"loss_sum", loss_sum_},
                                         {"loss_count", loss_count_},
                                         {"seconds", seconds_},
                                         {"data_seconds", data_seconds_},
                                         {"learning_rate", recipe_.learning_rate},
                                         {"epochs", recipe_.epochs},
                                         {"rate", rate_},
                                         {"pieces", pieces_},
                                         {"loss_scale", {scale_.factor, scale_.steps}},
                                         {"setbacks", setbacks_},
                                         {"plateau", {plateau_.best, plateau_.waited, plateau_.rate}},
                                         {"best_epoch", best_epoch_},
                                         {"best_loss", best_loss_},
                                         {"averaged", averaged_},
                                         {"events", run_.events()}}
                      .dump();
    return saved;
}

void Fit::save() {
    if (processes_.first()) save_checkpoint(run_.last_checkpoint(), checkpoint());
}

void Fit::set_learning_rate(double rate) {
    recipe_.learning_rate = rate;
    run_.record(
        {{"event", "changed"}, {"epoch", place_in_run_.epochs_before + epochs_done()}, {"learning_rate", rate}});
    save();
}

void Fit::set_epochs(int epochs) {
    const double done = epochs_done();
    recipe_.epochs = std::max(epochs, static_cast<int>(std::ceil(done)));
    if (place_ == pictures_.training.count() && epoch_ < recipe_.epochs) start_epoch();  // the last one had ended
    run_.record({{"event", "changed"},
                 {"epoch", place_in_run_.epochs_before + done},
                 {"epochs", place_in_run_.epochs_before + recipe_.epochs}});
    save();
}

void Fit::with_measured_weights(const std::function<void()>& use) {
    swap_average();
    {
        const WeightGrid::Use rounded(grid_);
        use();
    }
    swap_average();
}

void Fit::resume(const Checkpoint& saved) {
    const at::NoGradGuard no_gradients;
    const auto tensor = [&](const std::string& name, const at::Tensor& like) -> const at::Tensor& {
        const auto found = saved.tensors.find(name);
        if (found == saved.tensors.end() || found->second.sizes() != like.sizes())
            throw std::runtime_error(run_.last_checkpoint().string() + ": has no '" + name +
                                     "' of this network; it is of another recipe");
        return found->second;
    };
    std::size_t next = 0;
    for (const graph::Parameter& weight : weights()) {
        weight.tensor.copy_(tensor("weights." + weight.name, weight.tensor));
        if (average_.empty()) continue;
        average_[next].copy_(tensor("average." + weight.name, weight.tensor));
        ++next;
    }
    const std::string prefix = "steps.";
    std::map<std::string, at::Tensor> steps;
    for (const auto& [name, values] : saved.tensors)
        if (name.starts_with(prefix)) steps[name.substr(prefix.size())] = values;
    train_on(WeightGrid(network_, steps, grid_reach_));
    const auto facts = nlohmann::json::parse(saved.facts);
    Optimizer::State state = optimizer_.state();
    for (std::size_t i = 0; i < state.tensors.size(); ++i)
        state.tensors[i] = tensor("optimizer." + std::to_string(i), state.tensors[i]);
    state.steps = facts.at("steps");
    optimizer_.set_state(state);
    generator_.set_state(saved.tensors.at("random"));
    order_ = tensor("order", pictures_.training.labels);
    epoch_ = facts.at("epoch");
    place_ = facts.at("place");
    loss_sum_ = facts.at("loss_sum");
    loss_count_ = facts.at("loss_count");
    seconds_ = facts.at("seconds");
    data_seconds_ = facts.value("data_seconds", 0.0);
    recipe_.learning_rate = facts.value("learning_rate", recipe_.learning_rate);
    recipe_.epochs = facts.value("epochs", recipe_.epochs);
    rate_ = facts.at("rate");
    pieces_ = facts.value("pieces", std::int64_t{1});
    if (facts.contains("loss_scale")) scale_ = {facts["loss_scale"].at(0), facts["loss_scale"].at(1)};
    setbacks_ = facts.at("setbacks");
    plateau_ = {facts.at("plateau").at(0), facts.at("plateau").at(1), facts.at("plateau").at(2)};
    best_epoch_ = facts.at("best_epoch");
    best_loss_ = facts.at("best_loss");
    averaged_ = facts.value("averaged", std::int64_t{0});
    run_.keep_events(facts.at("events"));
}

}  // namespace ouaf
