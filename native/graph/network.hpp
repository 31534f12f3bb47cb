// The graph made executable and differentiable on LibTorch.
//
//     Network network(load_onnx("model.onnx"));
//     at::Tensor logits = network.forward(images);      // [n, 3, h, w] float32 -> [n, classes]
//     unfreeze(network, "*");                           // freeze.hpp
//     network.mode.training = true;
//     network.forward(images).sum().backward();
//     network.store_parameters(graph);                  // back into a graph, to be saved
//
// Whether autograd records decides what runs: with gradients, each operator by itself; without, fused steps
// that overwrite and free activations as they go. One thread at a time may use a Network.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"
#include "native/graph/ops/sync_batch_norm.hpp"

namespace ouaf::graph {

struct Parameter {
    std::string name;   // of the initializer
    at::Tensor tensor;  // the initializer's dims; change it in place (an optimizer does), never replace it
    int block = 0;      // see blocks.hpp: from the input, 0, to the head
};

// How a network runs. All off: as it is used after training, gradients may be recorded all the same.
struct Mode {
    // Dropouts drop. Batch norms normalise by the batch's mean and population variance and move their running
    // statistics, as ONNX defines it: running * momentum + batch * (1 - momentum), with 0.9 for the momentum of 1 that
    // PyTorch's exporter writes whatever the network's is. A batch norm whose scale does
    // not require a gradient is frozen: it normalises by its running statistics and leaves them alone. Runs without
    // gradients move running statistics too.
    bool training = false;
    // Convolutions and matrix products in bfloat16 or float16 by LibTorch's autocast, on CPU and CUDA. Weights,
    // gradients and results stay float32. float16's gradients need a scaled loss, see train/loss_scale.hpp.
    std::optional<at::ScalarType> autocast{};
    // Where gradients are recorded: less memory for one more forward pass, see checkpoint.hpp.
    bool checkpoints = false;
    // Where it is there, batch norms in training normalise by the statistics of the whole batch that several processes
    // share, see ops/sync_batch_norm.hpp.
    std::optional<SharedBatch> shared_batch{};
};

class Network {
 public:
    // Canonicalises the graph and folds its constants. Throws Unsupported "source: N unsupported operators: Foo (2),
    // Bar (1)" naming all operators it cannot run, and on attributes and constants that make no sense.
    explicit Network(Graph graph);
    Network(Network&&) noexcept;
    Network& operator=(Network&&) noexcept;
    ~Network();

    Mode mode;

    // The first graph output for the first graph input. Throws where the input has another rank or other
    // fixed sizes than the graph declares, and where an operator refuses its input, naming the node.
    at::Tensor forward(const at::Tensor& input);

    // Every graph output for every graph input, in the graph's order. Throws as above, and where the number of
    // inputs is not the graph's.
    std::vector<at::Tensor> forward(const std::vector<at::Tensor>& inputs);

    // What goes into the classification head (see find_head), such as [n, 1280]; the head itself is not run.
    // Throws where the graph has no head, or several with features of their own.
    at::Tensor features(const at::Tensor& input);

    // Floating constants that the op table calls trainable, in order of first use. None requires a gradient
    // until asked to. A single number is one where a convolution, a matrix product, a normalisation or PRelu reads
    // it, or the head as its bias; elsewhere it is a setting, such as a factor or a bound.
    std::span<Parameter> parameters();
    std::span<const Parameter> parameters() const;

    // Any floating constant that is read, by its name: one that was no parameter, such as a learned gain, joins
    // parameters(). Spans of parameters() end. Throws where no floating constant of that name is read. Operators
    // that read a setting when the network is made (bounds of Clip, ratios of Dropout) do not see it change.
    at::Tensor parameter(const std::string& name);

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
