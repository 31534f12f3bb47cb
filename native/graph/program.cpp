// See program.hpp.
#include "native/graph/program.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "native/graph/fold.hpp"
#include "native/graph/torch_tensor.hpp"
#include "native/graph/value_types.hpp"

namespace ouaf::graph {

namespace {

// A training set's whole batches and the last one, twice: for training and for evaluation.
constexpr std::size_t most_programs = 4;

// Floating constants of more elements are weights, which no operator reads while it is built.
constexpr std::int64_t most_elements = 1024;

Graph without_weights(Graph graph) {
    for (auto& [name, tensor] : graph.initializers)
        if (is_floating(tensor.dtype) && tensor.count() > most_elements) tensor.bytes = {};
    return graph;
}

void fuse(std::vector<Node>& nodes, const Graph& graph, const Kept& kept, const ValueTypes& types,
          Programs::Purpose purpose) {
    std::unordered_map<std::string, Dims> sizes;
    for (const auto& [name, type] : types) sizes[name] = type.sizes;
    const Surroundings around{graph, kept, sizes};
    fuse_activations(nodes, around);
    fuse_attention(nodes, around);
    fuse_linear(nodes, around);
    if (purpose == Programs::Purpose::inference) fuse_convolutions(nodes, around);
    else fuse_batch_norms(nodes, around);
}

std::unordered_map<std::string, int> indices(const std::vector<std::string>& names) {
    std::unordered_map<std::string, int> index;
    for (std::size_t i = 0; i < names.size(); ++i) index[names[i]] = static_cast<int>(i);
    return index;
}

// A shape that was folded lets more sizes be told, which fold more shapes; two or three rounds do.
ValueTypes fold_sizes(Graph& graph, std::span<const at::Tensor> inputs) {
    constexpr int most_rounds = 16;
    ValueTypes types;
    for (int round = 0; round < most_rounds; ++round) {
        const std::size_t before = graph.nodes.size();
        types = value_types(graph, inputs);
        fold_constants(graph, types);
        if (graph.nodes.size() == before) break;
    }
    return types;
}

Program make_program(Graph graph, const Kept& kept, std::span<const at::Tensor> inputs, Programs::Purpose purpose,
                     const Constants& constants) {
    const ValueTypes types = fold_sizes(graph, inputs);
    std::vector<Node> nodes = graph.nodes;
    fuse(nodes, graph, kept, types, purpose);

    auto index = indices(constants.names);
    Program program{{}, constants.tensors};
    const at::Device device = inputs.empty() ? at::Device(at::kCPU) : inputs[0].device();
    for (const auto& [name, tensor] : graph.initializers) {
        if (!index.emplace(name, static_cast<int>(program.constants.size())).second) continue;
        program.constants.push_back(to_torch(tensor).to(device));
    }
    program.plan = make_plan(graph, nodes, kept, index);
    return program;
}

}  // namespace

Programs::Programs(Graph graph, Kept kept, const Constants& constants)
    : graph_(without_weights(std::move(graph))), kept_(std::move(kept)) {
    make_plan(graph_, graph_.nodes, kept_, indices(constants.names));  // says what makes no sense
}

void Programs::set_learned(const std::string& name) {
    const auto found = graph_.initializers.find(name);
    if (found == graph_.initializers.end()) return;
    found->second.bytes = {};
    recent_.clear();
}

std::shared_ptr<const Program> Programs::find(std::span<const at::Tensor> inputs, Purpose purpose,
                                              const Constants& constants) {
    std::vector<Dims> sizes;
    for (const at::Tensor& input : inputs) sizes.push_back(input.sizes().vec());
    const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Entry& entry) {
        return entry.purpose == purpose && entry.sizes == sizes;
    });
    if (found != recent_.end()) {
        recent_.splice(recent_.begin(), recent_, found);
        return recent_.front().program;
    }
    const c10::InferenceMode ordinary_tensors(false);
    auto program = std::make_shared<const Program>(make_program(graph_, kept_, inputs, purpose, constants));
    recent_.push_front({std::move(sizes), purpose, std::move(program)});
    if (recent_.size() > most_programs) recent_.pop_back();
    return recent_.front().program;
}

}  // namespace ouaf::graph
