// Xception: depthwise separable convolutions with residual connections around them.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};

// Depthwise 3x3, then 1x1, nothing between them; then a batch norm. [c, h, w] -> [filters, h, w]
Activation separable(Layers& layers, const std::string& name, const Activation& x, std::int64_t filters) {
    Activation y = convolution(layers, name + ".depthwise", x, {.filters = x.dims[0], .groups = x.dims[0]});
    y = convolution(layers, name + ".pointwise", y, {.filters = filters, .kernel = one});
    return batch_norm(layers, name + ".bn", y);
}

// [c, h, w] -> [second, h / 2, w / 2]: two separable convolutions and a max pool, beside a 1x1 convolution.
Activation reducing_block(Layers& layers, const std::string& name, const Activation& x, std::int64_t first,
                          std::int64_t second, bool relu_first) {
    Activation y = relu_first ? relu(layers, x) : x;
    y = separable(layers, name + ".sepconv1", y, first);
    y = separable(layers, name + ".sepconv2", relu(layers, y), second);
    y = max_pool(layers, y, {.size = 3, .stride = 2, .padding = Padding::same});
    Activation shortcut = convolution(layers, name + ".shortcut.conv", x,
                                      {.filters = second, .kernel = one, .stride = 2, .padding = Padding::same});
    shortcut = batch_norm(layers, name + ".shortcut.bn", shortcut);
    return add(layers, y, shortcut);
}

Activation middle_block(Layers& layers, const std::string& name, const Activation& x) {
    Activation y = x;
    for (const char* part : {".sepconv1", ".sepconv2", ".sepconv3"})
        y = separable(layers, name + part, relu(layers, y), x.dims[0]);
    return add(layers, y, x);
}

}  // namespace

Layout xception(const Xception& config) {
    Layers layers("Xception", config.input);
    layers.norm = {.epsilon = 1e-3f, .momentum = 0.99f};
    layers.convolution_start = glorot_uniform;
    int number = 1;
    const auto next = [&] { return "block" + std::to_string(number++); };
    const std::string first = next();
    Activation x =
        convolution(layers, first + ".conv1", layers.input, {.filters = 32, .stride = 2, .padding = Padding::valid});
    x = relu(layers, batch_norm(layers, first + ".bn1", x));
    x = convolution(layers, first + ".conv2", x, {.filters = 64, .padding = Padding::valid});
    x = relu(layers, batch_norm(layers, first + ".bn2", x));
    x = reducing_block(layers, next(), x, 128, 128, false);
    x = reducing_block(layers, next(), x, 256, 256, true);
    x = reducing_block(layers, next(), x, 728, 728, true);
    for (std::int64_t block = 0; block < config.middle_blocks; ++block) x = middle_block(layers, next(), x);
    x = reducing_block(layers, next(), x, 728, 1024, true);
    const std::string last = next();
    x = relu(layers, separable(layers, last + ".sepconv1", x, 1536));
    x = relu(layers, separable(layers, last + ".sepconv2", x, 2048));
    x = flatten(layers, global_average_pool(layers, x));
    for (std::size_t i = 0; i < config.hidden.size(); ++i)
        x = relu(layers, dense(layers, "hidden" + std::to_string(i + 1), x, config.hidden[i]));
    x = dropout(layers, x, config.dropout);
    return finish(layers, {dense(layers, "classifier", x, config.classes)});
}

}  // namespace ouaf::graph::builders
