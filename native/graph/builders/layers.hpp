// What the families are written with: each function adds a layer to the layout and returns what comes out.
//
//     Layers layers("tiny", {3, 32, 32});
//     Activation x = convolution(layers, "conv1", layers.input, {.filters = 16});
//     x = relu(layers, batch_norm(layers, "bn1", x));
//     x = dense(layers, "fc", flatten(layers, global_average_pool(layers, x)), 10);
//     return finish(layers, {x});
//
// Weights are called NAME.weight, NAME.bias, NAME.running_mean and NAME.running_var. Every function throws
// where a window does not fit into what it is laid over: the input is too small for the network.
#pragma once

#include "native/graph/builders/layout.hpp"

namespace ouaf::graph::builders {

struct Activation {
    std::string name;
    Dims dims;  // without the batch: [channels, height, width] or [features]
};

// around a window of size k:
enum class Padding {
    valid,    // none
    centred,  // k / 2 on each side: PyTorch's usual one
    same,     // TensorFlow's: as many windows as ceil(size / stride), the odd pixel of padding after
};

struct BatchNorm {
    float epsilon = 1e-5f;
    float momentum = 0.9f;  // ONNX's: the share of the running statistics that is kept, 1 - PyTorch's
};

struct Layers {
    Layers(const std::string& name, const Dims& input_dims);

    Layout layout;
    Activation input;
    bool any_size = true;  // no layer so far needs the height and width that the layout was made with

    Rule convolution_start = he_normal;
    Rule dense_start = glorot_uniform;
    BatchNorm norm;
};

struct Window {
    std::int64_t height = 0;
    std::int64_t width = 0;
};

struct Convolution {
    std::int64_t filters = 0;
    Window kernel{3, 3};
    std::int64_t stride = 1;
    std::int64_t groups = 1;
    Padding padding = Padding::centred;
    bool bias = false;
    Rule start = nullptr;  // the layers' where none is given
};

struct Pool {
    std::int64_t size = 2;
    std::int64_t stride = 2;
    Padding padding = Padding::valid;
    bool counts_padding = false;  // average: zeros of the padding are part of the mean
};

// [c, h, w] -> [filters, h', w']; weight [filters, c / groups, kernel]
Activation convolution(Layers& layers, const std::string& name, const Activation& x, const Convolution& settings);
// [c, h, w], or [features]; gamma: where the scale starts
Activation batch_norm(Layers& layers, const std::string& name, const Activation& x, double gamma = 1);
// [in] -> [units]; weight [units, in]
Activation dense(Layers& layers, const std::string& name, const Activation& x, std::int64_t units,
                 Rule start = nullptr);

Activation max_pool(Layers& layers, const Activation& x, const Pool& pool);
Activation average_pool(Layers& layers, const Activation& x, const Pool& pool);
Activation global_average_pool(Layers& layers, const Activation& x);  // [c, h, w] -> [c, 1, 1]
Activation flatten(Layers& layers, const Activation& x);              // [c, h, w] -> [c * h * w]

Activation relu(Layers& layers, const Activation& x);
Activation relu6(Layers& layers, const Activation& x);
Activation sigmoid(Layers& layers, const Activation& x);
Activation swish(Layers& layers, const Activation& x);  // x sigmoid(x)

Activation add(Layers& layers, const Activation& a, const Activation& b);
Activation multiply(Layers& layers, const Activation& a, const Activation& b);  // a's dims; b may be [c, 1, 1]
Activation scale(Layers& layers, const Activation& x, float factor);            // a fixed one
Activation concatenate(Layers& layers, const std::vector<Activation>& parts);   // along the channels
Activation dropout(Layers& layers, const Activation& x, float ratio);           // nothing where ratio is 0

using Nonlinearity = Activation (*)(Layers&, const Activation&);  // relu, swish, ...

// Global average pool, dropout and the dense layer that gives the logits.
Activation classify(Layers& layers, const std::string& name, const Activation& x, float dropout_ratio,
                    std::int64_t classes, Rule start = nullptr);

// The layout with these outputs. Height and width of its input are left open where every layer allows that.
Layout finish(Layers layers, const std::vector<Activation>& outputs);

}  // namespace ouaf::graph::builders
