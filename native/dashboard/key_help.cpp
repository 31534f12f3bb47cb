// What the keys of a recipe mean, for people who choose their values; native/train/recipe.hpp has the conventions.
#include <algorithm>
#include <array>
#include <string_view>

#include "native/dashboard/recipe_check.hpp"

namespace ouaf::dashboard {
namespace {

struct Help {
    std::string_view key;
    const char* text;
};

constexpr std::array helps{
    Help{"name", "Of the run, and of the model that comes out."},
    Help{"backbone", "A trained network to start from: a folder below models/."},
    Help{"network", "A network to train from nothing, such as mlp, mnist_cnn or resnet18; instead of a backbone."},
    Help{"data", "The data set: one folder a class, folders train/ and test/ with such folders, or a CSV file."},
    Help{"validation", "Share of the training photos that the best epoch is chosen by, where the data set has none."},
    Help{"split", "Shares of training, validation and test, for a data set that comes undivided."},
    Help{"classes", "Only these classes, by folder, id or name."},
    Help{"dropout", "Share of the features that are left out at random in each step, before the head."},
    Help{"pooling", "How the last feature map becomes one row of features."},
    Help{"batch_norms", "Whether a network from nothing has batch norms."},
    Help{"fresh_head", "Draw the head at random, though the backbone knows some of the classes."},
    Help{"stored_side", "Pixels a side that photos are stored at; 0: 8/7 of the largest size that is trained at."},
    Help{"seen_share", "How much of a photo's shorter side the network sees, in its middle; 0: as the backbone."},
    Help{"crop_to_box", "Photos are cut to the boxes that come with the data set."},
    Help{"unreadable", "Share of the photos that may be left out because they can't be read."},
    Help{"weight_bits",
         "A weight, of the bundle's int8 weights once it is compressed: with fewer it is smaller, and a little less "
         "right."},
    Help{"head.iterations", "Steps of L-BFGS that fit the head, at most."},
    Help{"head.pull_to_start", "How strongly the head is held at the backbone's own rows, of classes that it knows."},
    Help{"head.weight_decay", "How strongly the head is held at 0, of classes that the backbone does not know."},
    Help{"train.epochs", "How often every training photo is seen."},
    Help{"train.batch", "Photos a step. More is faster on a GPU and needs more memory."},
    Help{"train.size", "Pixels a side that photos are trained at; 0: the backbone's, or 224."},
    Help{"train.test_size", "Pixels a side that photos are measured at and shipped with; 0: as trained."},
    Help{"train.accumulate", "Batches whose gradients are summed up before a step."},
    Help{"train.seed", "Of the first weights, the order of the photos and their changes."},
    Help{"train.optimizer", "sgd, rmsprop, adam, adamw, adamax, nadam, lion or lamb."},
    Help{"train.momentum", "Of SGD and RMSprop: how much of the last steps' direction stays."},
    Help{"train.nesterov", "Nesterov's momentum, of SGD."},
    Help{"train.alpha", "Of RMSprop: how slowly the mean of squared gradients moves."},
    Help{"train.beta1", "Of the Adams: how slowly the mean of the gradients moves."},
    Help{"train.beta2", "Of the Adams: how slowly the mean of squared gradients moves."},
    Help{"train.epsilon", "Added to what the Adams and RMSprop divide by."},
    Help{"train.learning_rate",
         "How far a step goes at most; the schedule shapes it. Too large: the loss jumps or grows."},
    Help{"train.pull_to_start", "How strongly weights are pulled to those that the run began with in each step."},
    Help{"train.weight_decay", "How strongly weights are pulled to 0 in each step; biases and norms are not."},
    Help{"train.start_share", "Share of the first weights in the mean with the best epoch's; 0: none."},
    Help{"train.rounded",
         "Weights are trained as the integers of weight_bits: how far to the next one a step goes; 0: as any number."},
    Help{"train.layer_decay",
         "The learning rate falls by this factor from block to block, from the head to the input."},
    Help{"train.schedule", "How the learning rate changes: constant, step, exponential, cosine or one_cycle."},
    Help{"train.warm_up", "Epochs over which the learning rate rises from 0 at first."},
    Help{"train.every", "Of the schedules step and exponential: epochs between falls."},
    Help{"train.factor", "Of the schedules step and exponential: what the rate is multiplied by in a fall."},
    Help{"train.least", "Share of the learning rate that the schedule ends with."},
    Help{"train.loss", "cross_entropy, binary_cross_entropy or mean_squared_error."},
    Help{"train.label_smoothing", "Share of each label that is spread over all classes."},
    Help{"train.clip", "The gradients' norm at most; 0: as it comes."},
    Help{"train.ema", "How much of the mean of the weights stays in each step, such as 0.999; 0: no mean is kept."},
    Help{"train.swa", "Share of the epochs, the last ones, whose weights go into a plain mean; 0: none."},
    Help{"train.train_last", "Blocks before the head that are trained too; 0: the head alone; -1: everything."},
    Help{"train.stop_patience", "Epochs without a better validation loss that end the run; 0: never."},
    Help{"train.plateau_patience", "Epochs without a better validation loss before the learning rate falls; 0: never."},
    Help{"train.plateau_factor", "What the learning rate is multiplied by then."},
    Help{"train.plateau_least", "Share of the learning rate that it does not fall below by that."},
    Help{"train.bfloat16", "Compute in bfloat16 where it is safe: faster on processors and GPUs that have it."},
    Help{"train.float16", "Compute in float16 where it is safe, with a scaled loss."},
    Help{"train.sync_batch_norms", "Of several processes: batch norms see the statistics of the whole batch."},
    Help{"train.checkpoint_seconds", "Seconds between checkpoints within an epoch."},
    Help{"augment.crop", "A part of so large a share of the photo is cut out at random, [least, most]."},
    Help{"augment.flip", "Probability that a photo is mirrored."},
    Help{"augment.rotation", "Degrees that a photo is turned by at most, either way."},
    Help{"augment.shift", "Share of its side that a photo is moved by at most."},
    Help{"augment.shear", "Degrees that a photo is slanted by at most."},
    Help{"augment.zoom", "Share that a photo is enlarged or shrunk by at most."},
    Help{"augment.randaugment", "How many of 14 changes drawn at random a photo goes through."},
    Help{"augment.randaugment_magnitude", "How strong they are, 0 to 30."},
    Help{"augment.equalise", "Probability that a photo's histogram is levelled."},
    Help{"augment.brightness", "Brightness changes by up to this share."},
    Help{"augment.contrast", "Contrast changes by up to this share."},
    Help{"augment.saturation", "Saturation changes by up to this share."},
    Help{"augment.hue", "Hue turns by up to this share of the circle, 0 to 0.5."},
    Help{"augment.grey", "Probability that a photo loses its colours."},
    Help{"augment.erase", "Probability that a box of a photo is blotted out."},
    Help{"augment.mixup", "Photos of a batch are blended with each other: alpha of the share's distribution; 0: not."},
    Help{"augment.cutmix", "Boxes of other photos are pasted in: alpha of the share's distribution; 0: not."},
    Help{"augment.whiten", "none, featurewise, or zca, which takes correlations of neighbouring pixels out."},
    Help{"augment.zca_epsilon", "What keeps the smallest directions from being blown up by zca."},
    Help{"distil.teachers", "Folders of models whose answers are learned beside the labels."},
    Help{"distil.weight", "Share of the teachers in the loss; the labels have the rest."},
    Help{"distil.temperature", "Of both softmaxes: larger tells more of the unlikely classes."},
    Help{"distil.size", "Pixels a side that teachers see the crops at; 0: as large as the network that learns."},
};

}  // namespace

const char* explain_key(const std::string& key) {
    const auto found = std::find_if(helps.begin(), helps.end(), [&](const Help& help) { return help.key == key; });
    return found == helps.end() ? "" : found->text;
}

}  // namespace ouaf::dashboard
