// The trials of a search as plain rows, and as axes to draw lines between.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ouaf::dashboard {

struct TrialRow {
    int trial = 0;
    int epochs = 0;
    double validation_loss = 0;
    double validation_top1 = 0;
    double seconds = 0;
    std::string failure;              // why it failed; empty: it did not
    std::vector<std::string> values;  // of the keys
    std::filesystem::path run;
};

struct Trials {
    std::vector<std::string> keys;
    std::vector<TrialRow> rows;  // of each trial the rung that it came to last
    std::string error;
};

Trials read_trials(const std::filesystem::path& folder);

// Folders of searches in `root`.
std::vector<std::filesystem::path> find_searches(const std::filesystem::path& root);

// A key's value as a number, for sorting: words come in the order of their letters, after numbers.
std::pair<double, std::string> value_of(const std::string& value);

// One upright axis: where each trial goes through it, 0 to 1, and what stands at its ends. Numbers that go over more
// than two decades are spread by their logarithms. The last axis is top-1.
struct Axis {
    std::string name;
    std::vector<double> places;  // NaN for a trial that failed
    std::string low;
    std::string high;
};
std::vector<Axis> axes_of(const Trials& trials);

}  // namespace ouaf::dashboard
