// What a search does, as a TOML file says it.
//
//     recipe = "mnist_cnn.toml"      # beside this file
//     method = "asha"                # or grid, random
//     trials = 27                    # of random and asha; a grid has as many as there are combinations
//     seed = 1
//     parallel = 1                   # trials at a time
//     monitor = "validation_top1"    # or validation_loss
//     least = 1                      # asha: epochs of the first rung
//     factor = 3                     # asha: one trial in so many climbs
//     [space]                        # keys of the recipe, in quotes, as `ouaf train --set` has them
//     "train.optimizer" = ["sgd", "adam"]
//     "train.learning_rate" = { low = 1e-4, high = 1e-1, log = true }
//     "train.batch" = { low = 16, high = 256, log = true, integer = true }
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "native/tune/search.hpp"
#include "native/tune/space.hpp"

namespace ouaf {

enum class Method { grid, random, asha };
inline constexpr std::string_view method_names[]{"grid", "random", "asha"};

enum class Monitor { validation_loss, validation_top1 };
inline constexpr std::string_view monitor_names[]{"validation_loss", "validation_top1"};

struct Tuning {
    std::filesystem::path recipe;  // from the folder that ouaf is started in
    Method method = Method::grid;
    int trials = 0;
    std::uint64_t seed = 0;
    int parallel = 1;
    Monitor monitor = Monitor::validation_loss;
    int least = 1;
    int factor = 3;
    Space space;  // as it stands in the file, from top to bottom

    std::vector<int> rungs;      // epochs; a single 0 where every trial trains its whole recipe
    std::vector<Values> values;  // of each trial
};

// Throws std::runtime_error "path: cause" for what cannot be searched; each choice and each end of a range is tried on
// the recipe.
Tuning read_tuning(const std::filesystem::path& path);

// All keys, as a file beside "recipe.toml".
std::string to_toml(const Tuning& tuning);

// What next_job needs of it.
Search search_of(const Tuning& tuning);

}  // namespace ouaf
