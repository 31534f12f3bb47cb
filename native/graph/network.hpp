// The graph made executable and differentiable on LibTorch.
//
//     Network network(load_onnx("model.onnx"));
//     at::Tensor logits = network.forward(images);      // [n, 3, h, w] float32 -> [n, classes]
//     for (auto& p : network.parameters()) p.tensor.requires_grad_(true);
//     network.forward(images).sum().backward();
//     network.store_parameters(graph);                  // back into a graph, to be saved
//
// Whether autograd records decides what runs: with gradients, each operator by itself; without, fused steps
// that overwrite and free activations as they go. One thread at a time may use a Network.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

struct Parameter {
    std::string name;   // of the initializer
    at::Tensor tensor;  // the initializer's dims; change it in place (an optimizer does), never replace it
};

class Network {
 public:
    // Canonicalises the graph and folds its constants. Throws Unsupported "source: N unsupported operators: Foo (2),
    // Bar (1)" naming all operators it cannot run, and on attributes and constants that make no sense.
    explicit Network(Graph graph);
    Network(Network&&) noexcept;
    Network& operator=(Network&&) noexcept;
    ~Network();

    // The first graph output for the first graph input. Throws where the input has another rank or other
    // fixed sizes than the graph declares, and where an operator refuses its input, naming the node.
    at::Tensor forward(const at::Tensor& input);

    // Every graph output for every graph input, in the graph's order. Throws as above, and where the number of
    // inputs is not the graph's.
    std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs);

    // What goes into the classification head (see find_head), such as [n, 1280]; the head itself is not run.
    // Throws where the graph has no head.
    at::Tensor features(const at::Tensor& input);

    // Floating constants that the op table calls trainable, in order of first use. None requires a gradient
    // until asked to.
    std::span<Parameter> parameters();
    std::span<const Parameter> parameters() const;

    // Running statistics of batch norms: part of the model, not trained by gradients.
    std::span<const Parameter> buffers() const;

    // Moves everything. Tensors of parameters() are other ones afterwards.
    void to(const at::Device& device);

    // Writes parameters and buffers into the float initializers of the same names. Throws where one is
    // missing or has other dims: graph has to be canonical and of this network.
    void store_parameters(Graph& graph) const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ouaf::graph
