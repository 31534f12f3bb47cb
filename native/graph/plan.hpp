// A graph's nodes as steps over numbered slots: what Network runs. No name is looked up while running.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "native/graph/fuse.hpp"
#include "native/graph/op_table.hpp"

namespace ouaf::graph {

struct Step {
    Kernel kernel;
    std::vector<int> inputs;   // slot, or -1 - index of a constant, or `absent`
    std::vector<bool> dies;    // for each input: no later step reads the slot
    std::vector<int> outputs;  // slot, or `absent`
    std::string what;          // for errors
};

constexpr int absent = 1 << 30;

struct Plan {
    std::vector<Step> steps;
    int slots = 0;
    int input = 0;                              // slot of the graph's first input
    std::unordered_map<std::string, int> kept;  // slots of the values asked to be kept; they never die
};

// nodes: in running order, every one in the op table. constant_index: initializer name -> index.
Plan make_plan(const Graph& graph, const std::vector<Node>& nodes, const Kept& kept,
               const std::unordered_map<std::string, int>& constant_index);

// Runs steps until slot `wanted` is made and returns it. gradients: autograd records, nothing is overwritten.
// Throws "source: Conv 'name': what LibTorch says".
at::Tensor run_plan(const Plan& plan, const std::string& source, std::span<const at::Tensor> constants,
                    const at::Tensor& input, int wanted, bool gradients);

}  // namespace ouaf::graph
