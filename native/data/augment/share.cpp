// See share.hpp.
#include "native/data/augment/share.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace ouaf {

at::Tensor ShareRows::of(const at::Tensor& values) const {
    const at::Tensor front = values.slice(0, parts[0].first, parts[0].last);
    if (parts[1].first == parts[1].last) return front;
    return at::cat({front, values.slice(0, parts[1].first, parts[1].last)});
}

ShareRows rows_of(std::int64_t n, const Share& share) {
    if (share.count == 1) return {{Rows{0, n}, Rows{n, n}}, 1};
    const std::int64_t pairs = (n + 1) / 2;  // of an odd number the last one is a single picture
    const std::int64_t first = pairs * share.index / share.count;
    const std::int64_t last = pairs * (share.index + 1) / share.count;
    if (first == last) return {{Rows{0, 1}, Rows{n, n}}, 0};
    ShareRows rows{{Rows{first, last}, Rows{std::max(last, n - last), n - first}}, 0};
    rows.weight = static_cast<double>(rows.count()) / static_cast<double>(n);
    return rows;
}

}  // namespace ouaf
