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
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "native/data/augment.hpp"
#include "native/data/partition.hpp"
#include "native/train/loss.hpp"
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
    int accumulate = 1;      // batches a step
    std::uint64_t seed = 0;  // of the first weights, the order of the pictures and their changes
    OptimizerRecipe optimizer;
    double learning_rate = 1e-3;
    double weight_decay = 0;  // of weights with two axes or more; biases and norms have none
    double layer_decay = 1;   // the learning rate falls by this from block to block, from the head to the input
    ScheduleRecipe schedule;
    LossRecipe loss;
    double clip = 0;           // the gradients' norm at most; 0: as it comes
    double ema = 0;            // how much of the average of the weights is kept each step; 0: no average
    int train_last = -1;       // blocks before the head; -1: everything
    int stop_patience = 0;     // epochs without a better validation loss that end the run; 0: never
    int plateau_patience = 0;  // epochs without one before the learning rate falls by plateau_factor; 0: never
    double plateau_factor = 0.1;
    double plateau_least = 0;        // of the learning rate
    bool bfloat16 = false;           // matrix products and convolutions
    double checkpoint_seconds = 60;  // between checkpoints within an epoch
};

struct Recipe {
    std::string name;                // of the run and of its bundle
    std::filesystem::path backbone;  // a bundle folder; empty where `network` is given
    std::string network;             // see make_network
    DataRecipe data;                 // keys "data", "validation", "split" and "classes"; its seed is [train]'s
    HeadRecipe head;
    std::optional<FitRecipe> train;
    AugmentRecipe augment;
};

// Paths in a recipe are relative to the folder that ouaf is started in, but for `parent`. `overrides` such as
// "train.learning_rate=0.01" or "network=mlp", a key and a value in TOML, stand over what the file says, the last one
// on top. Throws std::runtime_error "path: cause" for what is no TOML, for an unknown key (with the known ones), for a
// value of the wrong type or out of range; of an override the cause comes after "--set train.learning_rate=0.01: ".
Recipe read_recipe(const std::filesystem::path& path, std::span<const std::string> overrides = {});

// All keys, resolved.
std::string to_toml(const Recipe& recipe);

}  // namespace ouaf
