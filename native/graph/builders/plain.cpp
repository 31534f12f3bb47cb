// Networks without branches: MLP, small CNNs, VGG.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

// Dense layers with ReLU and dropout, then the logits: PREFIX.0, PREFIX.3, ... as torchvision counts them.
Activation dense_layers(Layers& layers, const std::string& prefix, Activation x,
                        const std::vector<std::int64_t>& hidden, float dropout_ratio, std::int64_t classes) {
    int number = 0;
    for (const std::int64_t units : hidden) {
        x = relu(layers, dense(layers, prefix + "." + std::to_string(number), x, units));
        x = dropout(layers, x, dropout_ratio);
        number += 3;
    }
    return dense(layers, prefix + "." + std::to_string(number), x, classes);
}

// Halves height and width.
Activation pool(Layers& layers, const Activation& x, Pooling pooling) {
    return pooling == Pooling::max ? max_pool(layers, x, {}) : average_pool(layers, x, {});
}

}  // namespace

Layout mlp(const Mlp& config) {
    Layers layers("MLP", config.input);
    const Activation x = flatten(layers, layers.input);
    return finish(layers, {dense_layers(layers, "classifier", x, config.hidden, config.dropout, config.classes)});
}

Layout cnn(const Cnn& config) {
    Layers layers("CNN", config.input);
    layers.convolution_start = glorot_uniform;
    Activation x = layers.input;
    int number = 0;
    for (const Cnn::Stage& stage : config.stages) {
        for (const std::int64_t filters : stage.filters) {
            const std::string suffix = std::to_string(++number);
            x = convolution(layers, "conv" + suffix, x,
                            {.filters = filters, .padding = config.padding, .bias = !config.batch_norms});
            if (config.batch_norms) x = batch_norm(layers, "bn" + suffix, x);
            x = relu(layers, x);
        }
        if (stage.pool) x = pool(layers, x, config.pooling);
        x = dropout(layers, x, stage.dropout);
    }
    x = flatten(layers, config.global_pool ? global_average_pool(layers, x) : x);
    return finish(layers, {dense_layers(layers, "classifier", x, config.hidden, config.dropout, config.classes)});
}

Cnn mnist_cnn() {
    return {.input = {1, 28, 28},
            .stages = {{.filters = {32, 64}, .dropout = 0.25f}},
            .hidden = {128},
            .dropout = 0.5f,
            .classes = 10};
}

Cnn cats_and_dogs_cnn() {
    return {.input = {3, 150, 150},
            .stages = {{.filters = {32}}, {.filters = {32}}, {.filters = {64}}},
            .hidden = {64},
            .dropout = 0.5f,
            .classes = 1};
}

Cnn cifar10_cnn() {
    return {.input = {3, 32, 32},
            .stages = {{.filters = {32, 32}, .dropout = 0.2f},
                       {.filters = {64, 64}, .dropout = 0.3f},
                       {.filters = {128, 128}, .dropout = 0.4f}},
            .padding = Padding::centred,
            .hidden = {128},
            .dropout = 0.5f,
            .classes = 10};
}

Layout vgg(const Vgg& config) {
    Layers layers("VGG", config.input);
    layers.convolution_start = glorot_uniform;
    Activation x = layers.input;
    int number = 0;  // torchvision counts every step of `features`
    for (const auto& stage : config.stages) {
        for (const std::int64_t filters : stage) {
            x = convolution(layers, "features." + std::to_string(number++), x, {.filters = filters, .bias = true});
            if (config.batch_norms) x = batch_norm(layers, "features." + std::to_string(number++), x);
            x = relu(layers, x);
            ++number;
        }
        x = pool(layers, x, config.pooling);
        ++number;
    }
    x = flatten(layers, config.global_pool ? global_average_pool(layers, x) : x);
    return finish(layers, {dense_layers(layers, "classifier", x, config.hidden, config.dropout, config.classes)});
}

Vgg vgg11() { return {.stages = {{64}, {128}, {256, 256}, {512, 512}, {512, 512}}}; }
Vgg vgg13() { return {.stages = {{64, 64}, {128, 128}, {256, 256}, {512, 512}, {512, 512}}}; }
Vgg vgg16() { return {.stages = {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}}}; }
Vgg vgg19() {
    return {.stages = {{64, 64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512, 512, 512, 512}}};
}

Vgg vgg_from_scratch() {
    return {.stages = {{64, 64}, {64, 64}, {128, 128}, {128, 128, 128}, {256, 256, 256}},
            .batch_norms = true,
            .hidden = {4096, 2048},
            .classes = 120};
}

}  // namespace ouaf::graph::builders
