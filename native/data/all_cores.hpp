// Many independent pieces of work on all processor cores.
//
//     on_all_cores(photos.size(), [&] { return [&](std::size_t i) { results[i] = look_at(photos[i]); }; },
//                  [&](std::size_t) { show(++done); });
#pragma once

#include <cstddef>
#include <functional>

namespace ouaf {

using Worker = std::function<void(std::size_t place)>;

// Every core makes a worker of its own and takes the next place below `count` until none is left. `done(place)` follows
// each, from one thread at a time. What one of them throws is thrown here, and no further place is begun.
void on_all_cores(std::size_t count, const std::function<Worker()>& make_worker,
                  const std::function<void(std::size_t place)>& done);

}  // namespace ouaf
