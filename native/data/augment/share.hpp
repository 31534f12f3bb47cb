// Which pictures of a batch one of several processes takes.
//
// A batch's pictures are mixed in pairs, the first with the last: a share is a run of neighbouring pairs, so that
// partners stay together and the random numbers of the whole batch mean the same in every share.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace ouaf {

struct Share {
    std::int64_t index = 0;
    std::int64_t count = 1;  // shares of a batch
};

struct Rows {
    std::int64_t first, last;
};

// Of a batch of n: from the front and from the back, together as one batch whose pairs are the same. A batch with fewer
// pairs than shares gives some of them its first picture, which counts for nothing.
struct ShareRows {
    std::array<Rows, 2> parts;
    double weight;  // how many of the whole batch's pictures these stand for, 0 to 1

    // Those of values, [n, ...].
    at::Tensor of(const at::Tensor& values) const;
    std::int64_t count() const { return parts[0].last - parts[0].first + parts[1].last - parts[1].first; }
};

ShareRows rows_of(std::int64_t n, const Share& share);

}  // namespace ouaf
