// One stage of training by gradients: from pictures to weights, with checkpoints that a run goes on from bit by bit.
//
//     Fit fit(network, pictures, stage, teachers, place, run, processes);
//     if (resuming) fit.resume(load_checkpoint(run.last_checkpoint()));
//     FitResult result = fit.run(stop, report);
#pragma once

#include <ATen/core/Generator.h>

#include <atomic>
#include <functional>
#include <limits>
#include <span>

#include "native/data/augment.hpp"
#include "native/data/pictures.hpp"
#include "native/graph/network.hpp"
#include "native/train/checkpoint.hpp"
#include "native/train/gradient_sum.hpp"
#include "native/train/loss_scale.hpp"
#include "native/train/optimizer.hpp"
#include "native/train/processes.hpp"
#include "native/train/run_directory.hpp"
#include "native/train/teachers.hpp"
#include "native/train/validation.hpp"
#include "native/train/weight_grid.hpp"

namespace ouaf {

struct EpochReport {
    int epoch = 0;  // of the run, from 1
    double training_loss = 0;
    Accuracy validation;
    double images_per_second = 0;  // of training alone
};

struct FitReport {
    std::function<void(double epochs)> step;  // epochs of the run that are done, with fractions
    std::function<void(const EpochReport&)> epoch;
    std::function<void(const std::string&)> say;  // a sentence about what went wrong and was mended
};

struct FitResult {
    bool finished = false;  // false: stopped, to be resumed
    int epochs = 0;         // of the run, with this stage's
    int best_epoch = 0;
    Accuracy best;  // of validation, by its loss; the network holds these weights afterwards
};

// What a stage reads.
struct FitPictures {
    const Pictures& training;    // of any size
    const Pictures& validation;  // as the network sees them in use, see normalised()
    PictureForm form;            // side: that the training pictures are cut to
};

// Where a stage stands in its run.
struct FitPlace {
    std::span<const at::Tensor> start;  // the weights that the run began with, of each of the network's parameters;
                                        // only a recipe that pulls towards them or blends them in asks
    int stage = 0;
    int epochs_before = 0;
};

// The parameters that the recipe trains; each group shares a learning rate and a weight decay. The others are frozen.
std::vector<ParameterGroup> group_parameters(graph::Network& network, const FitRecipe& recipe);

// Epochs that no run has.
inline constexpr int whole_run = std::numeric_limits<int>::max();

class Fit {
 public:
    // All but `stage` and `place` is used until the end, and `network` changed. Of several processes each takes its
    // share of every batch (share.hpp), and all move the same weights by the mean gradient of the whole batch; the
    // first one writes, the others read its files.
    Fit(graph::Network& network, const FitPictures& pictures, const Stage& stage, Teachers& teachers,
        const FitPlace& place, RunDirectory& run, Processes& processes);

    // Of a stage that begins: trains weights that are stored as integers. rounded: the network's graph, on its grid.
    void put_on_grid(const graph::Graph& rounded);

    void resume(const Checkpoint& checkpoint);

    // Writes a checkpoint and returns soon after `stop` is set in any of the processes, or once `until` epochs of the
    // run are done. Throws std::runtime_error where the loss is no number again and again.
    FitResult run(const std::atomic<bool>& stop, const FitReport& report, int until = whole_run);

    // Between two steps, so in report.step. What is changed is recorded and saved at once, for a run that goes on from
    // its checkpoint goes on with it.
    void save();
    void set_learning_rate(double rate);  // the recipe's, from now on
    void set_epochs(int epochs);          // of this stage; no fewer than have begun
    const FitRecipe& recipe() const { return recipe_; }
    // Meanwhile the network has the weights that would be measured now.
    void with_measured_weights(const std::function<void()>& use);

 private:
    void start_epoch();
    double epochs_done() const;
    bool goes_on() const;
    at::Tensor forward(const Batch& batch);
    double backward_of(const at::Tensor& rows, const Share& share, std::int64_t parts, bool last);
    double backward_of_next(std::int64_t parts, bool last);
    double backward_of_step(std::int64_t parts);
    void make_smaller_pieces();
    void train_step(const std::atomic<bool>& stop);
    void seed_dropouts();
    void take_from_first(const at::Tensor& tensor);
    void take_weights_from_first();
    void join_statistics(double weight);
    Share share() const { return {processes_.rank(), processes_.count()}; }
    void keep_as_best(const EpochReport& epoch);
    void end_epoch(const FitReport& report);
    bool unscale_or_skip(double loss);
    void go_back();
    at::Tensor next_rows();
    std::vector<graph::Parameter> weights();
    void train_on(WeightGrid grid);
    void begin_average();
    void pull_to_start();
    void move_average_by(double share);
    void move_average();
    void add_to_mean();
    void mend_statistics();
    void swap_average();
    Checkpoint checkpoint();

    graph::Network& network_;
    FitPictures pictures_;
    Stage stage_;
    FitRecipe& recipe_;  // of the stage
    Teachers& teachers_;
    FitPlace place_in_run_;
    at::Device device_;  // of the network
    RunDirectory& run_;
    Processes& processes_;
    std::vector<ParameterGroup> groups_;
    std::vector<std::vector<at::Tensor>> starts_;  // of each group's parameters; empty where nothing pulls to them
    Optimizer optimizer_;
    GradientSum gradients_;
    at::Generator generator_;          // of the order and the changes of pictures: the same in all processes
    std::vector<at::Tensor> average_;  // of weights(); empty where the recipe has none
    const double grid_reach_;          // by the recipe's rate as it is written, whatever it is changed to on the way
    WeightGrid grid_;

    double step_rate_ = 0;    // the learning rate of the last step
    double step_weight_ = 0;  // of a step's shares
    bool stopping_ = false;   // agreed by all processes
    std::function<void(const std::string&)> say_;

    // Where the stage stands; all of it is in a checkpoint.
    at::Tensor order_;        // of the epoch's pictures
    int epoch_ = 0;           // epochs that are done
    std::int64_t place_ = 0;  // pictures of this epoch that are done
    double loss_sum_ = 0;
    std::int64_t loss_count_ = 0;
    double seconds_ = 0;
    double data_seconds_ = 0;  // of them, until the pictures were there
    double rate_ = 1;          // lowered where the loss was no number
    std::int64_t pieces_ = 1;  // that a batch goes through the network in, so that they fit into memory
    LossScale scale_;          // of float16
    int setbacks_ = 0;
    Plateau plateau_;
    int best_epoch_ = 0;
    double best_loss_ = 1e300;
    std::int64_t averaged_ = 0;  // epochs in the plain mean of the weights
};

}  // namespace ouaf
