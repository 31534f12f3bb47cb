// A search for its readers: the table, the CSV file and the best recipe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "native/tune/trials.hpp"
#include "native/tune/tuning.hpp"

namespace ouaf {

// One trial over all its rungs.
struct TrialRow {
    int trial = 0;
    Values values;
    TrialRecord highest;  // of its highest rung
    double seconds = 0;   // of all rungs
};

// The best by the monitor first, the failed ones last.
std::vector<TrialRow> rows_of(const Tuning& tuning, const std::vector<TrialRecord>& records);

// For a terminal, with a heading.
std::string table_of(const Tuning& tuning, const std::vector<TrialRow>& rows);

// Every key and measure, as RFC 4180 has it.
std::string csv_of(const Tuning& tuning, const std::vector<TrialRow>& rows);

// The row's keys over the parent recipe.toml, which is beside it.
std::string recipe_of(const Tuning& tuning, const TrialRow& row, const std::string& name);

}  // namespace ouaf
