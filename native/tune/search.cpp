// See search.hpp.
#include "native/tune/search.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <tuple>

namespace ouaf {

std::vector<int> rungs_of(int least, int factor, int epochs) {
    std::vector<int> rungs;
    for (std::int64_t rung = least; rung * factor <= epochs; rung *= factor) rungs.push_back(static_cast<int>(rung));
    rungs.push_back(epochs);
    return rungs;
}

std::optional<Job> next_job(const Search& search, std::span<const Result> results, std::span<const Job> running) {
    std::set<std::pair<int, int>> begun;  // trials on the rungs that they have reached or are on the way to
    for (const Result& result : results) begun.emplace(result.job.trial, result.job.rung);
    for (const Job& job : running) begun.emplace(job.trial, job.rung);

    for (int rung = search.rungs - 2; rung >= 0; --rung) {
        std::vector<Result> here;
        for (const Result& result : results)
            if (result.job.rung == rung) here.push_back(result);
        std::sort(here.begin(), here.end(), [](const Result& a, const Result& b) {
            return std::tie(a.loss, a.job.trial) < std::tie(b.loss, b.job.trial);
        });
        here.resize(here.size() / static_cast<std::size_t>(search.factor));
        for (const Result& result : here)
            if (std::isfinite(result.loss) && !begun.contains({result.job.trial, rung + 1}))
                return Job{result.job.trial, rung + 1};
    }
    for (int trial = 0; trial < search.trials; ++trial)
        if (!begun.contains({trial, 0})) return Job{trial, 0};
    return std::nullopt;
}

}  // namespace ouaf
