// How the MobileNets and EfficientNets scale a number of filters.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ouaf::graph::builders {

// filters * width to the nearest multiple of 8, never more than 10 % below it.
inline std::int64_t round_filters(std::int64_t filters, double width) {
    const double scaled = static_cast<double>(filters) * width;
    const auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(scaled + 4) / 8 * 8);
    return static_cast<double>(rounded) < 0.9 * scaled ? rounded + 8 : rounded;
}

}  // namespace ouaf::graph::builders
