// DenseNet-BC: every layer of a block reads all that the layers before it made.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};

// [c, h, w] -> [growth, h, w]: BN, ReLU, 1x1, BN, ReLU, 3x3
Activation dense_layer(Layers& layers, const DenseNet& config, const std::string& name, const Activation& x) {
    Activation y = relu(layers, batch_norm(layers, name + ".norm1", x));
    y = convolution(layers, name + ".conv1", y, {.filters = config.bottleneck * config.growth, .kernel = one});
    y = relu(layers, batch_norm(layers, name + ".norm2", y));
    y = convolution(layers, name + ".conv2", y, {.filters = config.growth});
    return dropout(layers, y, config.dropout);
}

// [c, h, w] -> [c / 2, h / 2, w / 2]
Activation transition(Layers& layers, const std::string& name, const Activation& x) {
    Activation y = relu(layers, batch_norm(layers, name + ".norm", x));
    y = convolution(layers, name + ".conv", y, {.filters = x.dims[0] / 2, .kernel = one});
    return average_pool(layers, y, {});
}

}  // namespace

Layout densenet(const DenseNet& config) {
    Layers layers("DenseNet", config.input);
    Activation x =
        convolution(layers, "features.conv0", layers.input, {.filters = config.stem, .kernel = {7, 7}, .stride = 2});
    x = relu(layers, batch_norm(layers, "features.norm0", x));
    x = max_pool(layers, x, {.size = 3, .stride = 2, .padding = Padding::centred});
    for (std::size_t block = 1; block <= config.depths.size(); ++block) {
        const std::string number = std::to_string(block);
        for (std::int64_t layer = 1; layer <= config.depths[block - 1]; ++layer) {
            const std::string name = "features.denseblock" + number + ".denselayer" + std::to_string(layer);
            x = concatenate(layers, {x, dense_layer(layers, config, name, x)});
        }
        if (block < config.depths.size()) x = transition(layers, "features.transition" + number, x);
    }
    x = relu(layers, batch_norm(layers, "features.norm5", x));
    return finish(layers, {classify(layers, "classifier", x, 0, config.classes, lecun_uniform)});
}

DenseNet densenet121() { return {.depths = {6, 12, 24, 16}}; }
DenseNet densenet161() { return {.depths = {6, 12, 36, 24}, .growth = 48, .stem = 96}; }
DenseNet densenet169() { return {.depths = {6, 12, 32, 32}}; }
DenseNet densenet201() { return {.depths = {6, 12, 48, 32}}; }

}  // namespace ouaf::graph::builders
