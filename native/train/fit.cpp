// See fit.hpp.
#include "native/train/fit.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "native/graph/freeze.hpp"
#include "native/train/batch.hpp"

namespace ouaf {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::vector<at::Tensor> starts_of(const ParameterGroup& group, const graph::Network& network,
                                  std::span<const at::Tensor> start, const WeightGrid& grid) {
    std::vector<at::Tensor> found;
    for (const at::Tensor& parameter : group.parameters) {
        const auto is_it = [&](const graph::Parameter& each) { return each.tensor.is_same(parameter); };
        const auto place = std::ranges::find_if(network.parameters(), is_it) - network.parameters().begin();
        found.push_back(grid.in_units(parameter, start[static_cast<std::size_t>(place)]));
    }
    return found;
}

// How many steps of the grid a parameter's move by 1 is.
double reach_of(const FitRecipe& recipe) {
    return recipe.learning_rate > 0 ? recipe.rounded / recipe.learning_rate : 1;
}

std::int64_t batches_of(std::int64_t pictures, std::int64_t batch) { return (pictures + batch - 1) / batch; }

}  // namespace

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

Fit::Fit(graph::Network& network, const FitPictures& pictures, const Stage& stage, Teachers& teachers,
         const FitPlace& place, RunDirectory& run, Processes& processes)
    : network_(network),
      pictures_(pictures),
      stage_(stage),
      recipe_(stage_.fit),
      teachers_(teachers),
      place_in_run_(place),
      device_(network.parameters()[0].tensor.device()),
      run_(run),
      processes_(processes),
      groups_(group_parameters(network, stage.fit)),
      optimizer_(stage.fit.optimizer, groups_),
      gradients_(processes, network.parameters()),
      generator_(at::detail::createCPUGenerator(recipe_.seed + static_cast<std::uint64_t>(place.stage))),
      grid_reach_(reach_of(recipe_)) {
    network_.mode.autocast = autocast_type(recipe_);
    network_.mode.shared_batch.reset();
    if (recipe_.sync_batch_norms && !processes_.alone())
        network_.mode.shared_batch = {.sum = [this](const at::Tensor& values) { processes_.sum(values); }};
    train_on({});
    take_weights_from_first();
    begin_average();
}

void Fit::begin_average() {
    average_.clear();
    if (recipe_.ema == 0 && recipe_.swa == 0) return;
    for (const graph::Parameter& weight : weights()) average_.push_back(weight.tensor.detach().clone());
}

void Fit::train_on(WeightGrid grid) {
    grid_ = std::move(grid);
    starts_.clear();
    if (recipe_.pull_to_start > 0)
        for (const ParameterGroup& group : groups_)
            starts_.push_back(starts_of(group, network_, place_in_run_.start, grid_));
}

void Fit::put_on_grid(const graph::Graph& rounded) {
    WeightGrid grid(network_, rounded, grid_reach_);
    for (const auto& [name, steps] : grid.steps()) take_from_first(steps);
    train_on(std::move(grid));
    take_weights_from_first();
    begin_average();
}

// A picture that counts for nothing is no part of the statistics either.
at::Tensor Fit::forward(const Batch& batch) {
    if (network_.mode.shared_batch) network_.mode.shared_batch->counts = batch.weight > 0;
    return network_.forward(batch.images);
}

// Parameters and running statistics.
std::vector<graph::Parameter> Fit::weights() {
    std::vector<graph::Parameter> all(network_.parameters().begin(), network_.parameters().end());
    all.insert(all.end(), network_.buffers().begin(), network_.buffers().end());
    return all;
}

void Fit::take_from_first(const at::Tensor& tensor) {
    if (processes_.alone()) return;
    const at::NoGradGuard no_gradients;
    const at::Tensor values = tensor.detach().to(at::kCPU).contiguous().clone();
    processes_.take_from_first(values);
    tensor.copy_(values);
}

void Fit::take_weights_from_first() {
    for (const graph::Parameter& weight : weights()) take_from_first(weight.tensor);
}

// Each process moved the running statistics by its own pictures: their mean by numbers of pictures stands for the whole
// batch. In float64, so that statistics of frozen layers, alike everywhere, stay what they are.
void Fit::join_statistics(double weight) {
    if (processes_.alone() || network_.buffers().empty()) return;
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> flat;
    for (const graph::Parameter& buffer : network_.buffers()) flat.push_back(buffer.tensor.reshape({-1}));
    const at::Tensor joined = at::cat(flat).to(at::kCPU, at::kDouble).mul_(weight);
    processes_.sum(joined);
    std::int64_t place = 0;
    for (const graph::Parameter& buffer : network_.buffers()) {
        const std::int64_t end = place + buffer.tensor.numel();
        buffer.tensor.copy_(joined.slice(0, place, end).view(buffer.tensor.sizes()));
        place = end;
    }
}

// Dropouts draw from LibTorch's own generator, in each process by itself; what they draw follows from the step, so that
// a run goes on from a checkpoint with the same.
void Fit::seed_dropouts() {
    const auto step = static_cast<std::uint64_t>(optimizer_.state().steps);
    const auto stage = recipe_.seed + static_cast<std::uint64_t>(place_in_run_.stage);
    const auto count = static_cast<std::uint64_t>(processes_.count());
    at::Generator dropouts = at::globalContext().defaultGenerator(device_);
    dropouts.set_current_seed((stage * 1'000'003 + step) * count + static_cast<std::uint64_t>(processes_.rank()));
}

void Fit::pull_to_start() {
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < starts_.size(); ++i)
        at::_foreach_lerp_(groups_[i].parameters, starts_[i], step_rate_ * groups_[i].rate * recipe_.pull_to_start);
}

void Fit::move_average_by(double share) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> now;
    for (const graph::Parameter& weight : weights()) now.push_back(weight.tensor.detach());
    at::_foreach_lerp_(average_, now, share);
}

// The exponential mean, after each step.
void Fit::move_average() {
    if (recipe_.ema == 0) return;
    // Young averages forget their start faster, as TensorFlow's ExponentialMovingAverage with num_updates.
    const auto steps = static_cast<double>(optimizer_.state().steps);
    const double kept = std::min(recipe_.ema, (1 + steps) / (10 + steps));
    move_average_by(1 - kept);
}

// The plain mean, after each of the last epochs.
void Fit::add_to_mean() {
    if (recipe_.swa == 0 || epoch_ <= recipe_.epochs * (1 - recipe_.swa)) return;
    ++averaged_;
    move_average_by(1 / static_cast<double>(averaged_));
}

// Exchanges the network's weights and their average, where there is one by now.
void Fit::swap_average() {
    const at::NoGradGuard no_gradients;
    std::size_t next = 0;
    if (average_.empty() || (recipe_.swa > 0 && averaged_ == 0)) return;
    for (const graph::Parameter& weight : weights()) {
        const at::Tensor now = weight.tensor.detach().clone();
        weight.tensor.copy_(average_[next]);
        average_[next++].copy_(now);
    }
}

// The mean of weights has not the mean of their statistics: they are taken anew from training pictures.
void Fit::mend_statistics() {
    constexpr std::int64_t most = 100;  // batches; after so many the old statistics weigh 0.9^100
    if (averaged_ == 0 || network_.buffers().empty()) return;
    const at::NoGradGuard no_gradients;
    network_.mode.training = true;
    const at::Tensor order = at::randperm(pictures_.training.count(), generator_);
    const std::int64_t batches = std::min(most, batches_of(order.size(0), recipe_.batch));
    for (std::int64_t i = 0; i < batches; ++i) {
        const at::Tensor rows = order.slice(0, i * recipe_.batch, std::min((i + 1) * recipe_.batch, order.size(0)));
        const Batch batch =
            training_batch(pictures_.training, rows, stage_, pictures_.form, generator_, device_, share());
        forward(batch);
        join_statistics(batch.weight);
    }
}

void Fit::start_epoch() {
    order_ = at::randperm(pictures_.training.count(), generator_);
    place_ = 0;
    loss_sum_ = 0;
    loss_count_ = 0;
    seconds_ = 0;
    data_seconds_ = 0;
}

// Of this stage, with fractions.
double Fit::epochs_done() const {
    const bool between = epoch_ == recipe_.epochs || place_ == 0;
    return between ? epoch_ : epoch_ + static_cast<double>(place_) / static_cast<double>(pictures_.training.count());
}

bool Fit::goes_on() const {
    const bool waits = recipe_.stop_patience == 0 || epoch_ - best_epoch_ < recipe_.stop_patience;
    return epoch_ < recipe_.epochs && waits;
}

at::Tensor Fit::next_rows() {
    const std::int64_t end = std::min<std::int64_t>(place_ + recipe_.batch, pictures_.training.count());
    at::Tensor rows = order_.slice(0, place_, end);
    place_ = end;
    return rows;
}

// Of the share of a batch, one of the step's `parts`. Returns what it adds to the step's loss.
double Fit::backward_of(const at::Tensor& rows, const Share& share, std::int64_t parts, bool last) {
    const Clock::time_point start = Clock::now();
    const Batch batch = training_batch(pictures_.training, rows, stage_, pictures_.form, generator_, device_, share);
    data_seconds_ += seconds_since(start);
    const at::Tensor logits = forward(batch);
    at::Tensor loss = loss_of(logits, batch.targets, recipe_.loss.kind);
    if (!teachers_.empty()) loss = teachers_.loss(batch.images, logits, loss);
    const double weight = batch.weight / static_cast<double>(parts);
    if (last) gradients_.expect();
    (recipe_.float16 ? loss * (weight * scale_.factor) : loss * weight).backward();
    step_weight_ += weight;
    return weight == 0 ? 0 : loss.item<double>() * weight;
}

// Of the next batch: this process's share of it, in pieces that mean together what it means as a whole.
double Fit::backward_of_next(std::int64_t parts, bool last) {
    const at::Tensor rows = next_rows();
    const at::Tensor random = generator_.get_state();
    double loss = 0;
    for (std::int64_t piece = 0; piece < pieces_; ++piece) {
        if (piece > 0) generator_.set_state(random);
        const Share share{processes_.rank() * pieces_ + piece, processes_.count() * pieces_};
        loss += backward_of(rows, share, parts, last && piece + 1 == pieces_);
    }
    return loss;
}

// Of all batches of the step; from its start again in smaller pieces, where memory runs out.
double Fit::backward_of_step(std::int64_t parts) {
    const std::int64_t place = place_;
    const at::Tensor random = generator_.get_state();
    for (;;) {
        try {
            seed_dropouts();
            step_weight_ = 0;
            double loss = 0;
            for (std::int64_t part = 0; part < parts; ++part) loss += backward_of_next(parts, part + 1 == parts);
            return loss;
        } catch (const c10::OutOfMemoryError& error) {
            if (!processes_.alone())
                throw std::runtime_error("process " + std::to_string(processes_.rank()) + ": " +
                                         error.what_without_backtrace() +
                                         "; make 'batch' smaller, and 'accumulate' larger to mean the same");
        }
        optimizer_.clear_gradients();
        place_ = place;
        generator_.set_state(random);
        make_smaller_pieces();
    }
}

void Fit::make_smaller_pieces() {
    const std::int64_t pictures = recipe_.batch / (pieces_ * 2);
    if (pictures < 2)  // mixup and cutmix mix pairs
        throw std::runtime_error("out of memory with " + std::to_string(recipe_.batch / pieces_) +
                                 " pictures at once; train at a smaller 'size', or fewer blocks with 'train_last'");
    pieces_ *= 2;
    run_.record({{"event", "halved"},
                 {"cause", "out of memory"},
                 {"epoch", place_in_run_.epochs_before + epochs_done()},
                 {"pictures_at_once", pictures}});
    say_("out of memory: the batch of " + std::to_string(recipe_.batch) + " now goes through the network " +
         std::to_string(pictures) + " pictures at once");
}

void Fit::train_step(const std::atomic<bool>& stop) {
    step_rate_ =
        recipe_.learning_rate * rate_ * plateau_.rate * rate_at(recipe_.schedule, epochs_done(), recipe_.epochs);
    network_.mode.training = true;
    const std::int64_t left = batches_of(pictures_.training.count() - place_, recipe_.batch);
    const std::int64_t parts = std::min<std::int64_t>(recipe_.accumulate, left);
    double own_loss = 0;
    {
        const WeightGrid::Use rounded(grid_);
        own_loss = backward_of_step(parts);
        gradients_.finish();
    }
    join_statistics(step_weight_);
    const at::Tensor agreed = at::tensor({own_loss, stop ? 1.0 : 0.0}, at::kDouble);
    processes_.sum(agreed);
    const auto loss_value = agreed[0].item<double>();
    stopping_ = agreed[1].item<double>() > 0;
    if (!std::isfinite(loss_value)) return go_back();
    if (recipe_.float16 && !unscale_or_skip(loss_value)) return;
    const double norm = clip_gradients(groups_, recipe_.clip);
    optimizer_.step(step_rate_);
    pull_to_start();
    optimizer_.clear_gradients();
    move_average();
    loss_sum_ += loss_value;
    ++loss_count_;
    nlohmann::ordered_json step{{"event", "step"},
                                {"epoch", place_in_run_.epochs_before + epochs_done()},
                                {"loss", loss_value},
                                {"learning_rate", step_rate_},
                                {"gradient_norm", norm}};
    if (recipe_.float16) step["loss_scale"] = scale_.factor;
    run_.record(step);
}

// Takes the scale of the loss off the gradients; where they were too large for it, there is no step.
bool Fit::unscale_or_skip(double loss) {
    const bool finite = unscale_gradients(groups_, scale_.factor);
    scale_.watch(finite);
    if (finite) return true;
    optimizer_.clear_gradients();
    run_.record({{"event", "skipped"},
                 {"epoch", place_in_run_.epochs_before + epochs_done()},
                 {"loss", loss},
                 {"cause", "a gradient is no number in float16"},
                 {"loss_scale", scale_.factor}});
    return false;
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
    processes_.wait_for_all();
    resume(load_checkpoint(run_.last_checkpoint()));
    processes_.wait_for_all();  // before the first one writes over it
    setbacks_ = setbacks;
    rate_ = rate;
    run_.record({{"event", "setback"},
                 {"cause", "the loss is no number"},
                 {"learning_rate", recipe_.learning_rate * rate_},
                 {"epoch", place_in_run_.epochs_before + epoch_ + 1}});
    save();  // the lowered rate is what a later setback goes back to
}

void Fit::keep_as_best(const EpochReport& epoch) {
    best_loss_ = epoch.validation.cross_entropy;
    best_epoch_ = epoch_;
    Checkpoint best;
    for (const graph::Parameter& weight : weights()) best.tensors[weight.name] = weight.tensor;
    best.facts = nlohmann::ordered_json{{"epoch", epoch.epoch}}.dump();
    if (processes_.first()) save_checkpoint(run_.best_checkpoint(), best);
}

void Fit::end_epoch(const FitReport& report) {
    const double loss = loss_sum_ / static_cast<double>(std::max<std::int64_t>(loss_count_, 1));
    ++epoch_;
    add_to_mean();
    EpochReport epoch{place_in_run_.epochs_before + epoch_,
                      loss,
                      {},
                      static_cast<double>(pictures_.training.count()) / std::max(seconds_, 1e-9)};
    with_measured_weights([&] {
        mend_statistics();
        epoch.validation = measure_pictures(network_, pictures_.validation, pictures_.form, processes_);
        if (epoch.validation.cross_entropy < best_loss_) keep_as_best(epoch);
    });
    const double validation_loss = epoch.validation.cross_entropy;
    run_.record({{"event", "epoch"},
                 {"epoch", epoch.epoch},
                 {"stage", place_in_run_.stage + 1},
                 {"loss", loss},
                 {"validation_loss", validation_loss},
                 {"validation_top1", epoch.validation.top1},
                 {"validation_top5", epoch.validation.top5},
                 {"learning_rate", step_rate_},
                 {"images_per_second", epoch.images_per_second},
                 {"data_share", data_seconds_ / std::max(seconds_, 1e-9)}});
    if (recipe_.plateau_patience > 0)
        plateau_.watch(validation_loss, recipe_.plateau_patience - 1, recipe_.plateau_factor, recipe_.plateau_least);
    if (epoch_ < recipe_.epochs) start_epoch();
    save();
    report.epoch(epoch);
}

FitResult Fit::run(const std::atomic<bool>& stop, const FitReport& report, int until) {
    if (!order_.defined()) {
        start_epoch();
        save();
    }
    say_ = report.say;
    const auto waits = [&] { return stopping_ || place_in_run_.epochs_before + epoch_ >= until; };
    Clock::time_point saved = Clock::now();
    while (goes_on()) {
        if (waits()) return {};
        const Clock::time_point start = Clock::now();
        train_step(stop);
        seconds_ += seconds_since(start);
        if (place_ == pictures_.training.count()) {
            end_epoch(report);
            saved = Clock::now();
        } else if (stopping_ || seconds_since(saved) > recipe_.checkpoint_seconds) {
            save();
            saved = Clock::now();
        }
        report.step(place_in_run_.epochs_before + epochs_done());
    }
    processes_.wait_for_all();  // the first one has written it
    const Checkpoint best = load_checkpoint(run_.best_checkpoint());
    const at::NoGradGuard no_gradients;
    for (const graph::Parameter& weight : weights()) weight.tensor.copy_(best.tensors.at(weight.name));
    average_.clear();
    for (std::size_t i = 0; i < network_.parameters().size() && recipe_.start_share > 0; ++i)
        network_.parameters()[i].tensor.lerp_(place_in_run_.start[i], recipe_.start_share);
    return {true, place_in_run_.epochs_before + epoch_, place_in_run_.epochs_before + best_epoch_,
            measure_pictures(network_, pictures_.validation, pictures_.form, processes_)};
}

}  // namespace ouaf
