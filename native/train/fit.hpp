// Training by gradients: from pictures to weights, with checkpoints that a run goes on from bit by bit.
//
//     Fit fit(network, training, validation, recipe, run);
//     if (resuming) fit.resume(load_checkpoint(run.last_checkpoint()));
//     FitResult result = fit.run(stop, report);
#pragma once

#include <ATen/core/Generator.h>

#include <atomic>
#include <functional>
#include <limits>

#include "native/data/pictures.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/graph/network.hpp"
#include "native/train/checkpoint.hpp"
#include "native/train/optimizer.hpp"
#include "native/train/run_directory.hpp"

namespace ouaf {

struct EpochReport {
    int epoch = 0;  // from 1
    double training_loss = 0;
    Accuracy validation;
    double images_per_second = 0;  // of training alone
};

struct FitReport {
    std::function<void(double share)> step;  // how much of the run is done
    std::function<void(const EpochReport&)> epoch;
};

struct FitResult {
    bool finished = false;  // false: stopped, to be resumed
    int epochs = 0;
    int best_epoch = 0;
    Accuracy best;  // of validation, by its loss; the network holds these weights afterwards
};

// How well the network, as in evaluation, knows these pictures, seen from the middle and unchanged.
Accuracy measure_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form);

// Epochs that no run has.
inline constexpr int whole_run = std::numeric_limits<int>::max();

class Fit {
 public:
    // Everything is used until the end, and `network` changed.
    Fit(graph::Network& network, const Pictures& training, const Pictures& validation, const PictureForm& form,
        const FitRecipe& recipe, const AugmentRecipe& changes, RunDirectory& run);

    void resume(const Checkpoint& checkpoint);

    // Writes a checkpoint and returns soon after `stop` is set, or once `until` epochs are done. Throws
    // std::runtime_error where the loss is no number again and again.
    FitResult run(const std::atomic<bool>& stop, const FitReport& report, int until = whole_run);

 private:
    void start_epoch();
    void train_step();
    bool end_epoch(const FitReport& report);
    void go_back();
    Accuracy validate();
    at::Tensor next_rows();
    std::vector<graph::Parameter> weights();
    void move_average();
    void swap_average();
    Checkpoint checkpoint();
    void save_last();

    graph::Network& network_;
    const Pictures& training_;
    const Pictures& validation_;
    PictureForm form_;
    FitRecipe recipe_;
    AugmentRecipe changes_;
    RunDirectory& run_;
    std::vector<ParameterGroup> groups_;
    Optimizer optimizer_;
    at::Generator generator_;          // LibTorch's own, which dropouts draw from too
    std::vector<at::Tensor> average_;  // of weights(); empty where the recipe has none

    // Where the run stands; all of it is in a checkpoint.
    at::Tensor order_;        // of the epoch's pictures
    int epoch_ = 0;           // epochs that are done
    std::int64_t place_ = 0;  // pictures of this epoch that are done
    double loss_sum_ = 0;
    std::int64_t loss_count_ = 0;
    double seconds_ = 0;
    double rate_ = 1;  // lowered where the loss was no number
    int setbacks_ = 0;
    Plateau plateau_;
    int best_epoch_ = 0;
    double best_loss_ = 1e300;
};

}  // namespace ouaf
