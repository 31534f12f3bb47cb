// See fit.hpp.
#include "native/train/fit.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "native/graph/freeze.hpp"

namespace ouaf {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Parameters that share a learning rate and a weight decay.
std::vector<ParameterGroup> group_parameters(graph::Network& network, const FitRecipe& recipe) {
    if (recipe.train_last >= 0) graph::train_last(network, recipe.train_last);
    else graph::unfreeze(network, "*");
    int last_block = 0;
    for (const graph::Parameter& parameter : network.parameters()) last_block = std::max(last_block, parameter.block);
    std::map<std::pair<int, bool>, ParameterGroup> groups;  // by distance from the head, and whether they decay
    for (const graph::Parameter& parameter : network.parameters()) {
        if (!parameter.tensor.requires_grad()) continue;
        const bool decays = parameter.tensor.dim() > 1;
        const int distance = recipe.layer_decay == 1 ? 0 : last_block - parameter.block;
        ParameterGroup& group = groups[{distance, decays}];
        group.rate = std::pow(recipe.layer_decay, distance);
        group.weight_decay = decays ? recipe.weight_decay : 0;
        group.parameters.push_back(parameter.tensor);
    }
    std::vector<ParameterGroup> listed;
    for (auto& [key, group] : groups) listed.push_back(std::move(group));
    return listed;
}

at::Tensor rows_of(const at::Tensor& all, const at::Tensor& rows) { return all.index_select(0, rows); }

}  // namespace

Accuracy measure_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form) {
    constexpr std::int64_t at_once = 256;
    const at::NoGradGuard no_gradients;
    network.mode.training = false;
    std::vector<at::Tensor> logits;
    for (std::int64_t first = 0; first < pictures.count(); first += at_once) {
        const std::int64_t last = std::min(first + at_once, pictures.count());
        const at::Tensor images =
            plain(pictures.pixels.slice(0, first, last), pictures.aspects.slice(0, first, last), form);
        logits.push_back(network.forward(images).to(at::kFloat));
    }
    const at::Tensor labels = pictures.labels.contiguous();
    return measure(at::cat(logits), {labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())},
                   1);
}

Fit::Fit(graph::Network& network, const Pictures& training, const Pictures& validation, const PictureForm& form,
         const FitRecipe& recipe, const AugmentRecipe& changes, RunDirectory& run)
    : network_(network),
      training_(training),
      validation_(validation),
      form_(form),
      recipe_(recipe),
      changes_(changes),
      run_(run),
      groups_(group_parameters(network, recipe)),
      optimizer_(recipe.optimizer, groups_),
      generator_(at::detail::getDefaultCPUGenerator()) {
    generator_.set_current_seed(recipe.seed);
    network_.mode.bfloat16 = recipe.bfloat16;
    if (recipe.ema > 0)
        for (const graph::Parameter& weight : weights()) average_.push_back(weight.tensor.detach().clone());
}

// Parameters and running statistics.
std::vector<graph::Parameter> Fit::weights() {
    std::vector<graph::Parameter> all(network_.parameters().begin(), network_.parameters().end());
    all.insert(all.end(), network_.buffers().begin(), network_.buffers().end());
    return all;
}

void Fit::move_average() {
    if (average_.empty()) return;
    const at::NoGradGuard no_gradients;
    // Young averages forget their start faster, as TensorFlow's ExponentialMovingAverage with num_updates.
    const auto steps = static_cast<double>(optimizer_.state().steps);
    const double kept = std::min(recipe_.ema, (1 + steps) / (10 + steps));
    std::vector<at::Tensor> now;
    for (const graph::Parameter& weight : weights()) now.push_back(weight.tensor.detach());
    at::_foreach_lerp_(average_, now, 1 - kept);
}

// Exchanges the network's weights and their average.
void Fit::swap_average() {
    const at::NoGradGuard no_gradients;
    std::size_t next = 0;
    if (average_.empty()) return;
    for (const graph::Parameter& weight : weights()) {
        const at::Tensor now = weight.tensor.detach().clone();
        weight.tensor.copy_(average_[next]);
        average_[next++].copy_(now);
    }
}

void Fit::start_epoch() {
    order_ = at::randperm(training_.count(), generator_);
    place_ = 0;
    loss_sum_ = 0;
    loss_count_ = 0;
    seconds_ = 0;
}

at::Tensor Fit::next_rows() {
    const std::int64_t end = std::min<std::int64_t>(place_ + recipe_.batch, training_.count());
    at::Tensor rows = order_.slice(0, place_, end);
    place_ = end;
    return rows;
}

void Fit::train_step() {
    const double epochs = recipe_.epochs;
    const double epoch = epoch_ + static_cast<double>(place_) / static_cast<double>(training_.count());
    network_.mode.training = true;
    const auto classes = static_cast<std::int64_t>(training_.classes.size());
    const std::int64_t left = (training_.count() - place_ + recipe_.batch - 1) / recipe_.batch;
    const std::int64_t parts = std::min<std::int64_t>(recipe_.accumulate, left);
    double loss_value = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
        const at::Tensor rows = next_rows();
        const Batch batch =
            augment(rows_of(training_.pixels, rows), rows_of(training_.aspects, rows),
                    soft_targets(rows_of(training_.labels, rows), classes, recipe_.loss), changes_, form_, generator_);
        const at::Tensor loss = loss_of(network_.forward(batch.images), batch.targets, recipe_.loss.kind);
        (loss / static_cast<double>(parts)).backward();
        loss_value += loss.item<double>() / static_cast<double>(parts);
    }
    if (!std::isfinite(loss_value)) return go_back();
    if (recipe_.clip > 0) clip_gradients(groups_, recipe_.clip);
    optimizer_.step(recipe_.learning_rate * rate_ * plateau_.rate * rate_at(recipe_.schedule, epoch, epochs));
    optimizer_.clear_gradients();
    move_average();
    loss_sum_ += loss_value;
    ++loss_count_;
}

// To the last checkpoint, with half the learning rate.
void Fit::go_back() {
    constexpr int most = 5;
    const int setbacks = setbacks_ + 1;
    const double rate = rate_ / 2;
    if (setbacks > most)
        throw std::runtime_error("the loss is no number for the " + std::to_string(setbacks) +
                                 "th time, though the learning rate was halved each time; choose a smaller one");
    optimizer_.clear_gradients();
    resume(load_checkpoint(run_.last_checkpoint()));
    setbacks_ = setbacks;
    rate_ = rate;
    run_.record({{"event", "setback"},
                 {"cause", "the loss is no number"},
                 {"learning_rate", recipe_.learning_rate * rate_},
                 {"epoch", epoch_ + 1}});
    save_last();  // the lowered rate is what a later setback goes back to
}

Accuracy Fit::validate() {
    swap_average();
    const Accuracy accuracy = measure_pictures(network_, validation_, form_);
    swap_average();
    return accuracy;
}

// Whether the run goes on.
bool Fit::end_epoch(const FitReport& report) {
    const double loss = loss_sum_ / static_cast<double>(std::max<std::int64_t>(loss_count_, 1));
    ++epoch_;
    const EpochReport epoch{epoch_, loss, validate(),
                            static_cast<double>(training_.count()) / std::max(seconds_, 1e-9)};
    const double validation_loss = epoch.validation.cross_entropy;
    if (recipe_.plateau_patience > 0)
        plateau_.watch(validation_loss, recipe_.plateau_patience - 1, recipe_.plateau_factor, recipe_.plateau_least);
    const bool best = validation_loss < best_loss_;
    if (best) {
        best_loss_ = validation_loss;
        best_epoch_ = epoch_;
    }
    run_.record({{"event", "epoch"},
                 {"epoch", epoch_},
                 {"loss", loss},
                 {"validation_loss", validation_loss},
                 {"validation_top1", epoch.validation.top1},
                 {"validation_top5", epoch.validation.top5},
                 {"images_per_second", epoch.images_per_second}});
    if (best) {
        swap_average();
        Checkpoint weights_now;
        for (const graph::Parameter& weight : weights()) weights_now.tensors[weight.name] = weight.tensor;
        weights_now.facts = nlohmann::ordered_json{{"epoch", epoch_}}.dump();
        save_checkpoint(run_.best_checkpoint(), weights_now);
        swap_average();
    }
    if (epoch_ < recipe_.epochs) start_epoch();
    save_last();
    report.epoch(epoch);
    const bool waits = recipe_.stop_patience == 0 || epoch_ - best_epoch_ < recipe_.stop_patience;
    return epoch_ < recipe_.epochs && waits;
}

FitResult Fit::run(const std::atomic<bool>& stop, const FitReport& report, int until) {
    if (!order_.defined()) {
        start_epoch();
        save_last();
    }
    Clock::time_point saved = Clock::now();
    bool goes_on = epoch_ < recipe_.epochs;
    if (goes_on && epoch_ >= until) return {};
    while (goes_on) {
        const Clock::time_point start = Clock::now();
        train_step();
        seconds_ += seconds_since(start);
        const double done = epoch_ + static_cast<double>(place_) / static_cast<double>(training_.count());
        report.step(done / recipe_.epochs);
        if (place_ == training_.count()) {
            goes_on = end_epoch(report);
            saved = Clock::now();
        } else if (stop || seconds_since(saved) > recipe_.checkpoint_seconds) {
            save_last();
            saved = Clock::now();
        }
        if (goes_on && (stop || epoch_ >= until)) return {};
    }
    const Checkpoint best = load_checkpoint(run_.best_checkpoint());
    const at::NoGradGuard no_gradients;
    for (const graph::Parameter& weight : weights()) weight.tensor.copy_(best.tensors.at(weight.name));
    average_.clear();
    return {true, epoch_, best_epoch_, validate()};
}

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
    saved.tensors["random"] = generator_.get_state();
    saved.tensors["order"] = order_;
    saved.facts = nlohmann::ordered_json{{"epoch", epoch_},
                                         {"place", place_},
                                         {"steps", state.steps},
                                         {"loss_sum", loss_sum_},
                                         {"loss_count", loss_count_},
                                         {"seconds", seconds_},
                                         {"rate", rate_},
                                         {"setbacks", setbacks_},
                                         {"plateau", {plateau_.best, plateau_.waited, plateau_.rate}},
                                         {"best_epoch", best_epoch_},
                                         {"best_loss", best_loss_},
                                         {"events", run_.events()}}
                      .dump();
    return saved;
}

void Fit::save_last() { save_checkpoint(run_.last_checkpoint(), checkpoint()); }

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
    const auto facts = nlohmann::json::parse(saved.facts);
    Optimizer::State state = optimizer_.state();
    for (std::size_t i = 0; i < state.tensors.size(); ++i)
        state.tensors[i] = tensor("optimizer." + std::to_string(i), state.tensors[i]);
    state.steps = facts.at("steps");
    optimizer_.set_state(state);
    generator_.set_state(saved.tensors.at("random"));
    order_ = tensor("order", training_.labels);
    epoch_ = facts.at("epoch");
    place_ = facts.at("place");
    loss_sum_ = facts.at("loss_sum");
    loss_count_ = facts.at("loss_count");
    seconds_ = facts.at("seconds");
    rate_ = facts.at("rate");
    setbacks_ = facts.at("setbacks");
    plateau_ = {facts.at("plateau").at(0), facts.at("plateau").at(1), facts.at("plateau").at(2)};
    best_epoch_ = facts.at("best_epoch");
    best_loss_ = facts.at("best_loss");
    run_.keep_events(facts.at("events"));
}

}  // namespace ouaf
