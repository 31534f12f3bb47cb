// Asynchronous successive halving, against an example that is worked by hand.
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "native/tune/search.hpp"

using namespace ouaf;

namespace {

constexpr double failed = std::numeric_limits<double>::infinity();

// One job after the other until there is none.
std::vector<Job> order_of(const Search& search, const std::map<std::pair<int, int>, double>& losses) {
    std::vector<Job> jobs;
    std::vector<Result> results;
    while (const auto job = next_job(search, results, {})) {
        jobs.push_back(*job);
        results.push_back({*job, losses.at({job->trial, job->rung})});
    }
    return jobs;
}

}  // namespace

TEST_CASE("rungs grow by the factor, the last one to the whole recipe") {
    CHECK(rungs_of(1, 3, 9) == std::vector{1, 3, 9});
    CHECK(rungs_of(1, 3, 12) == std::vector{1, 3, 12});
    CHECK(rungs_of(2, 2, 9) == std::vector{2, 4, 9});
    CHECK(rungs_of(5, 3, 12) == std::vector{12});
}

TEST_CASE("with one rung the trials come in their order") {
    CHECK(order_of({.trials = 3, .rungs = 1}, {{{0, 0}, 3}, {{1, 0}, failed}, {{2, 0}, 1}}) ==
          std::vector<Job>{{0, 0}, {1, 0}, {2, 0}});
}

TEST_CASE("of three trials on a rung the best one climbs") {
    const std::map<std::pair<int, int>, double> losses{
        {{0, 0}, 0.5},    {{1, 0}, 0.3}, {{2, 0}, 0.9},  {{3, 0}, 0.4},  {{4, 0}, 0.8},  {{5, 0}, 0.2}, {{6, 0}, 0.7},
        {{7, 0}, failed}, {{8, 0}, 0.6}, {{1, 1}, 0.25}, {{5, 1}, 0.28}, {{3, 1}, 0.35}, {{1, 2}, 0.2}};
    // After three results trial 1 is the best third of its rung; after six, trials 5 and 1; after nine, 5, 1 and 3.
    // Then rung 1 has three results, the best of trial 1, which climbs to the top.
    CHECK(order_of({.trials = 9, .rungs = 3, .factor = 3}, losses) ==
          std::vector<Job>{
              {0, 0}, {1, 0}, {2, 0}, {1, 1}, {3, 0}, {4, 0}, {5, 0}, {5, 1}, {6, 0}, {7, 0}, {8, 0}, {3, 1}, {1, 2}});
}

TEST_CASE("what runs is not begun again, and what failed does not climb") {
    const Search search{.trials = 6, .rungs = 2, .factor = 3};
    const std::vector<Result> three{{{2, 0}, 0.1}, {{0, 0}, 0.1}, {{1, 0}, 0.2}};
    CHECK(next_job(search, three, {}) == Job{0, 1});  // of equals the earlier trial, whichever ended first
    CHECK(next_job(search, three, std::vector<Job>{{0, 1}}) == Job{3, 0});
    CHECK(next_job(search, three, std::vector<Job>{{0, 1}, {3, 0}}) == Job{4, 0});
    CHECK(!next_job(search, three, std::vector<Job>{{0, 1}, {3, 0}, {4, 0}, {5, 0}}));
    const std::vector<Result> broken{{{0, 0}, failed}, {{1, 0}, failed}, {{2, 0}, failed}};
    CHECK(next_job(search, broken, {}) == Job{3, 0});
}
