// A run in a few numbers, to stand beside others.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "native/train/run_log.hpp"

namespace ouaf {

// What is missing was not recorded: runs that fit a head have no epochs, unfinished ones no test.
struct RunSummary {
    bool finished = false;
    std::size_t epochs = 0;                   // that are done
    std::size_t iterations = 0;               // of fitting a head
    std::optional<double> best_epoch;         // the one with the smallest validation loss; its measures follow
    std::optional<double> validation_loss;    // nats
    std::optional<double> validation_top1;    // share, 0 to 1
    std::optional<double> validation_top5;    //
    std::optional<double> test_loss;          // nats; of the weights that came out
    std::optional<double> test_top1;          // share
    std::optional<double> test_top5;          //
    std::optional<double> images_per_second;  // median over the epochs
    std::optional<double> parameters;
    std::optional<double> time;  // of the last event, seconds since 1970
};

RunSummary summarise(const RunLog& log);

// The keys of a run's recipe.toml with their values as text: {"train.epochs", "12"}. Read as they stand there, so that
// a recipe with keys of another version can be compared too. Throws std::runtime_error "path:line: cause".
std::map<std::string, std::string> recipe_keys(const std::filesystem::path& folder);

// The same of TOML that is right, such as to_toml's.
std::map<std::string, std::string> toml_keys(std::string_view text);

}  // namespace ouaf
