// A bound on what one tensor may take in main memory. Sizes in a graph multiply: a file of some hundred bytes can ask
// for a broadcast sum, a padded convolution or a product of matrices of terabytes, and no operator sees that coming.
//
//     const MemoryLimit limit(std::int64_t{1} << 30);
//     at::zeros({1 << 30});  // throws std::runtime_error
#pragma once

#include <cstdint>

namespace ouaf::graph {

// Holds while it lives, for tensors that this thread makes on the CPU. Limits nest: the smallest one counts.
class MemoryLimit {
 public:
    explicit MemoryLimit(std::int64_t bytes);
    ~MemoryLimit();
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;

    static std::int64_t bytes();  // what holds on this thread; the largest int64 where nothing does

 private:
    std::int64_t outer_;
};

}  // namespace ouaf::graph
