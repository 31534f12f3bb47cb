// Random numbers that are the same on every machine and with every compiler: the standard fixes what
// std::mt19937_64 gives, but not what its distributions make of it.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace ouaf::graph {

class Random {
 public:
    // Another seed or another name, another sequence: a weight's values depend on nothing but the two.
    Random(std::uint64_t seed, std::string_view name);

    double uniform();  // in [0, 1), 53 bits
    double normal();   // mean 0, standard deviation 1

 private:
    std::mt19937_64 engine_;
    std::optional<double> spare_;  // normals come in pairs
};

}  // namespace ouaf::graph
