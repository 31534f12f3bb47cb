// A graph's nodes as steps over numbered slots: what Network runs. No name is looked up while running.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "native/graph/fuse/fuse.hpp"
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
    int inputs = 0;                             // the graph's inputs are the first slots, in its order
    std::unordered_map<std::string, int> kept;  // the values asked to be kept, as Step::inputs; they never die
    std::vector<std::size_t> ready;             // for each slot: how many steps have to run before it is there
};

// nodes: in running order, every one in the op table. constant_index: initializer name -> index.
Plan make_plan(const Graph& graph, const std::vector<Node>& nodes, const Kept& kept,
               const std::unordered_map<std::string, int>& constant_index);

// How a plan is run.
struct Pass {
    bool gradients = false;                    // autograd records, nothing is overwritten
    bool training = false;                     // as Run's
    bool recomputed = false;                   // as Run's
    std::optional<at::ScalarType> autocast{};  // to this type, on `device`
    at::Device device = at::kCPU;
    const SharedBatch* shared_batch = nullptr;  // as Run's
};

// Runs steps until the `wanted` values (of Plan::kept) are made and returns them. No result may be a thousand times
// larger than the largest input and 2^27 elements. Throws "source: Conv 'name': what LibTorch says"; Unsupported where
// LibTorch has no kernel for an element type.
std::vector<at::Tensor> run_plan(const Plan& plan, const std::string& source, std::span<const at::Tensor> constants,
                                 std::span<const at::Tensor> inputs, std::span<const int> wanted, const Pass& pass);

// How many steps have to run until the `wanted` values are there.
std::size_t steps_until(const Plan& plan, std::span<const int> wanted);

// Runs the steps from `first` up to `last`, not included, on slots that hold what they read. A slot that no later step
// reads is emptied.
void run_steps(const Plan& plan, std::size_t first, std::size_t last, const std::string& source,
               std::span<const at::Tensor> constants, std::span<at::Tensor> slots, const Pass& pass);

// Runs one step's kernel; its errors as run_plan's.
void run_step(const Step& step, const std::string& source, Run& run);

}  // namespace ouaf::graph
