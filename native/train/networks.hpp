// The from-scratch networks that a recipe can name.
#pragma once

#include <cstdint>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf {

// The pictures a network is made for.
struct PictureSize {
    std::int64_t channels = 3;
    std::int64_t height = 224;
    std::int64_t width = 224;
};

// A builder's network by its name, such as "mnist_cnn" or "resnet50", for these pictures and classes. Throws
// std::runtime_error that lists the names where there is none.
graph::Graph make_network(const std::string& name, const PictureSize& pictures, std::int64_t classes,
                          std::uint64_t seed);

}  // namespace ouaf
