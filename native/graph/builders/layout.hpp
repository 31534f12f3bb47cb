// A network before its weights exist: nodes, and for every weight its shape, its role and how it starts. A
// layout of 829 million parameters takes kilobytes; only make_graph allocates.
//
//     Layout layout = resnet(resnet50());           // builders.hpp
//     parameter_count(layout).trainable;            // 25,557,032
//     Graph graph = make_graph(layout, seed);       // weights drawn; save_onnx, Network, ...
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph::builders {

// How the values of a weight start.
struct Start {
    enum class Kind { constant, normal, truncated_normal, uniform };
    Kind kind = Kind::constant;
    // The constant; the standard deviation around 0 (truncated: drawn again beyond two of them); or the bound
    // of the uniform values in [-value, value).
    double value = 0;
};

// How many inputs a unit of the weight sees, and how many units see an input, within one group. A rule makes
// of them how a weight starts.
struct Fans {
    std::int64_t in = 0;
    std::int64_t out = 0;
};
using Rule = Start (*)(Fans);

Start glorot_uniform(Fans fans);     // bound sqrt(6 / (in + out)), https://proceedings.mlr.press/v9/glorot10a.html
Start he_normal(Fans fans);          // deviation sqrt(2 / in), https://arxiv.org/abs/1502.01852
Start he_normal_fan_out(Fans fans);  // deviation sqrt(2 / out): the same, for the gradients
Start lecun_uniform(Fans fans);      // bound 1 / sqrt(in)

enum class Role {
    trainable,
    statistic,  // of a batch norm: a buffer, moved by training but not by gradients
};

struct Weight {
    std::string name;  // of the initializer
    Dims dims;
    Role role = Role::trainable;
    Start start;
};

struct Layout {
    std::string name;
    std::vector<Value> inputs;
    std::vector<Value> outputs;  // the logits [batch, classes] first
    std::vector<Node> nodes;     // producers before consumers; opset 17
    std::vector<Weight> weights;
    std::map<std::string, Tensor> constants;  // bounds, ratios, scales: scalars, neither trained nor counted
};

struct ParameterCount {
    std::int64_t trainable = 0;   // what PyTorch counts
    std::int64_t statistics = 0;  // running means and variances; Keras' total includes them

    std::int64_t total() const { return trainable + statistics; }
};

// Allocates nothing.
ParameterCount parameter_count(const Layout& layout);

// The weights drawn by the seed, float32: the same on every machine. A weight's values depend on the seed, its
// name, its shape and how it starts, not on the other weights.
Graph make_graph(const Layout& layout, std::uint64_t seed);

}  // namespace ouaf::graph::builders
