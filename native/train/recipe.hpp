// What a run does, as a TOML file says it.
//
//     name = "mnist_cnn"
//     parent = "mnist_mlp.toml"      # beside this file; what is said here replaces what it says
//     network = "mnist_cnn"          # a from-scratch network, or backbone = "models/…" to start from a trained one
//     data = "data/mnist"            # MNIST, CIFAR-10, or what open_dataset opens
//     validation = 0.1               # see DataRecipe for these three
//     split = [0.6, 0.2, 0.2]
//     classes = ["beagle", "pug"]
//     [train]                        # by gradients; without it a head is fitted on the backbone's features, see [head]
//     epochs = 12
//     [augment]
//     shift = 0.1
//     [[stage]]                      # as many as there are, one after the other, each with what [train] says beside it
//     train_last = 0
//     [[stage]]
//     size = 256
//     [stage.augment]
//     crop = [0.5, 1]
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/data/augment.hpp"
#include "native/data/partition.hpp"
#include "native/train/loss.hpp"
#include "native/train/networks.hpp"
#include "native/train/optimizer.hpp"
#include "native/train/schedule.hpp"

namespace ouaf {

struct HeadRecipe {
    int iterations = 100;          // of L-BFGS at most; 0 keeps the head as it starts
    double pull_to_start = 0.005;  // L2 towards the starting rows, of classes that the backbone knows
    double weight_decay = 0.0002;  // L2 towards 0, of classes that it doesn't know
};

struct FitRecipe {
    int epochs = 10;
    int batch = 64;
    int size = 0;            // pixels a side that photos are trained at; 0: the backbone's, or 224
    int test_size = 0;       // and that they are seen at when they are measured and in the bundle; 0: `size`
    int accumulate = 1;      // batches a step
    std::uint64_t seed = 0;  // of the first weights, the order of the pictures and their changes
    OptimizerRecipe optimizer;
    double learning_rate = 1e-3;
    double weight_decay = 0;   // of weights with two axes or more; biases and norms have none
    double pull_to_start = 0;  // the same towards the weights that the run began with, of all: L2-SP, Li et al. 2018,
                               // https://arxiv.org/abs/1802.01483, apart from the gradient as AdamW's decay is
    double start_share = 0;    // of the weights that the run began with, in the mean with those of the best epoch that
                               // the stage ends with: WiSE-FT, Wortsman et al. 2022, https://arxiv.org/abs/2109.01903
    double rounded = 0;      // above 0, weights are trained as the integers that the bundle will have (WeightGrid), by
                             // so much of the way from one to the next where others learn by learning_rate
    double layer_decay = 1;  // the learning rate falls by this from block to block, from the head to the input
    ScheduleRecipe schedule;
    LossRecipe loss;
    double clip = 0;  // the gradients' norm at most; 0: as it comes
    double ema = 0;   // how much of the average of the weights is kept each step; 0: no average
    double swa =
        0;  // share of the epochs at whose ends the weights go into a plain mean, Izmailov et al. 2018; 0: none
    int train_last = -1;       // blocks before the head; -1: everything
    int stop_patience = 0;     // epochs without a better validation loss that end the run; 0: never
    int plateau_patience = 0;  // epochs without one before the learning rate falls by plateau_factor; 0: never
    double plateau_factor = 0.1;
    double plateau_least = 0;        // of the learning rate
    bool bfloat16 = false;           // matrix products and convolutions
    bool float16 = false;            // the same, with a scaled loss (loss_scale.hpp); one of the two
    bool sync_batch_norms = false;   // of several processes: by the statistics of the whole batch
    double checkpoint_seconds = 60;  // between checkpoints within an epoch
};

// What the network computes in beside float32.
std::optional<at::ScalarType> autocast_type(const FitRecipe& recipe);

struct Stage {
    FitRecipe fit;
    AugmentRecipe augment;
};

// What the network is told beside the labels: the answers of others to the same pictures, Hinton et al. 2015,
// https://arxiv.org/abs/1503.02531; seen at the same crops as in Beyer et al. 2022, https://arxiv.org/abs/2106.05237.
struct DistilRecipe {
    std::vector<std::filesystem::path> teachers;  // bundles; the mean of their probabilities is learned
    double weight = 0.5;                          // of the teachers' part of the loss; the labels have the rest
    double temperature = 2;                       // of both softmaxes
    int size = 0;  // pixels a side that the teachers see the crops at; 0: as large as the network that learns
};

struct Recipe {
    std::string name;                              // of the run and of its bundle
    std::vector<std::filesystem::path> backbones;  // bundle folders; the features of several go into one head side by
                                                   // side; none where `network` is given
    std::string network;                           // see make_network
    DataRecipe data;                 // keys "data", "validation", "split" and "classes"; its seed is the first stage's
    NetworkOptions network_options;  // the keys dropout, which a backbone gets before its head, pooling, batch_norms
    bool fresh_head = false;  // a head drawn at random, though the backbone has rows of its own for some of the classes
    int stored_side = 0;      // pixels a side that photos are stored at; 0: 8/7 of the largest size that is trained at
    double seen_share = 0;  // of a photo's shorter side, that the centre's square takes (timm's crop_pct) where photos
                            // are measured and shipped; 0: as much as the backbone's, or 7/8
    bool crop_to_box = false;  // photos are their bounding boxes, in training, validation and test
    double unreadable = 0.01;  // share of the photos that may be left out because they can't be read
    double weight_bits = 8;    // a weight, of the bundle's int8 weights once compressed: see graph/rounding.hpp
    HeadRecipe head;
    std::vector<Stage> stages;  // by gradients; without any a head is fitted
    DistilRecipe distil;
};

// Paths in a recipe are relative to the folder that ouaf is started in, but for `parent`. `overrides` such as
// "train.learning_rate=0.01" or "network=mlp", a key and a value in TOML, stand over what the file says, the last one
// on top. Throws std::runtime_error "path: cause" for what is no TOML, for an unknown key (with the known ones), for a
// value of the wrong type or out of range; of an override the cause comes after "--set train.learning_rate=0.01: ".
Recipe read_recipe(const std::filesystem::path& path, std::span<const std::string> overrides = {});

// All keys, resolved.
std::string to_toml(const Recipe& recipe);

}  // namespace ouaf
