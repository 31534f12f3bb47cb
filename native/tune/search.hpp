// Which trial is trained next, and how far. Plain numbers in and out: what was decided follows from the results alone,
// so that a search that is started again goes on as it would have.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace ouaf {

// Trials are counted from 0. A trial climbs from rung to rung; each is a number of epochs. Grid and random search have
// one rung, the whole recipe.
struct Job {
    int trial = 0;
    int rung = 0;
    bool operator==(const Job&) const = default;
};

struct Result {
    Job job;
    double loss = 0;  // smaller is better; infinity: the trial failed, and climbs no further
};

struct Search {
    int trials = 1;
    int rungs = 1;
    int factor = 3;  // one trial in so many climbs
};

// The epochs of each rung: least, least * factor, ... as often as it goes into `epochs`; the highest rung is the whole
// recipe.
std::vector<int> rungs_of(int least, int factor, int epochs);

// Asynchronous successive halving, algorithm 2 of Li et al. 2020, "A System for Massively Parallel Hyperparameter
// Tuning", https://arxiv.org/abs/1810.05934: from the highest rung down, a trial that is among the best 1 / factor of
// the results on its rung climbs; where none does, a new trial begins, until there are `trials`. Of equal losses the
// earlier trial is better. `running` jobs have no result yet. Nothing: there is nothing to do before another result.
std::optional<Job> next_job(const Search& search, std::span<const Result> results, std::span<const Job> running);

}  // namespace ouaf
