// The from-scratch networks that a recipe can name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "native/graph/builders/builders.hpp"

namespace ouaf {

// The pictures a network is made for.
struct PictureSize {
    std::int64_t channels = 3;
    std::int64_t height = 224;
    std::int64_t width = 224;
};

inline constexpr std::string_view pooling_names[]{"max", "average"};

// What may be chosen in a network; where it isn't, the network is as its authors have it.
struct NetworkOptions {
    std::optional<double> dropout{};                    // after the dense layers; DenseNet: after every layer
    std::optional<graph::builders::Pooling> pooling{};  // between the stages of the plain networks
    std::optional<bool> batch_norms{};                  // behind the convolutions of the plain networks
};

// A builder's network by its name, such as "mnist_cnn" or "resnet50", for these pictures and classes. Throws
// std::runtime_error that lists the names where there is none, or says what cannot be chosen in this network.
graph::Graph make_network(const std::string& name, const NetworkOptions& options, const PictureSize& pictures,
                          std::int64_t classes, std::uint64_t seed);

}  // namespace ouaf
