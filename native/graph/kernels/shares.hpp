// Sums over many pieces of work on all threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ouaf::graph {

struct Range {
    std::int64_t begin;
    std::int64_t end;
};

// add(range, sums) for every thread's share of `count` pieces; the `width` sums of all, in the shares' order, so that
// the same number of threads gives the same bits.
template <class Add>
std::vector<double> summed(std::int64_t count, std::int64_t width, Add add) {
    const std::int64_t shares = std::min<std::int64_t>(count, at::get_num_threads());
    std::vector<double> parts(static_cast<std::size_t>(shares * width));
    at::parallel_for(0, shares, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t share = begin; share < end; ++share)
            add(Range{count * share / shares, count * (share + 1) / shares}, parts.data() + share * width);
    });
    std::vector<double> sums(parts.begin(), parts.begin() + width);
    for (std::size_t i = sums.size(); i < parts.size(); ++i) sums[i % sums.size()] += parts[i];
    return sums;
}

}  // namespace ouaf::graph
