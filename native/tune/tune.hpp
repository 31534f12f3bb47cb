// A search from its first trial to its table.
//   tune.toml       as it was resolved
//   recipe.toml     what every trial begins from, resolved
//   trials.jsonl    see trials.hpp
//   trials/003      the run of trial 3, and trials/003.log, what it printed
//   trials.csv      every trial with its keys and measures, the best first
//   best.toml       the best trial as a recipe
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "native/tune/trials.hpp"
#include "native/tune/tuning.hpp"

namespace ouaf {

// Called for a trial that has reached its rung, or failed.
using TuningReport = std::function<void(const TrialRecord&)>;

// Makes the folder, or goes on in the one that is there: what is recorded stays, and trials that were under way go on
// from their checkpoints. Each trial is a process of its own, so that one which crashes is recorded and the search goes
// on. Once `stop` is set the trials are asked to save, and false is returned when they have. `data` stands over the
// recipe's unless it is empty. Throws std::runtime_error where the folder holds another search.
bool tune(const Tuning& tuning, const std::string& data, const std::filesystem::path& folder,
          const std::atomic<bool>& stop, const TuningReport& report);

}  // namespace ouaf
