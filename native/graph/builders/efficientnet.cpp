// EfficientNet and EfficientNetV2: inverted residuals with squeeze-and-excite, plain or fused, scaled together.
#include <algorithm>
#include <cmath>

#include "native/graph/builders/builders.hpp"
#include "native/graph/builders/round_filters.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};

Activation convolve(Layers& layers, const EfficientNet& config, const std::string& name, const Activation& x,
                    Convolution settings) {
    settings.padding = config.padding;
    return batch_norm(layers, name + ".1", convolution(layers, name + ".0", x, settings));
}

// x times a gate a channel that sees the whole image, https://arxiv.org/abs/1709.01507
Activation squeeze_and_excite(Layers& layers, const std::string& name, const Activation& x, std::int64_t squeezed) {
    Activation gate = global_average_pool(layers, x);
    gate = convolution(layers, name + ".fc1", gate, {.filters = squeezed, .kernel = one, .bias = true});
    gate = swish(layers, gate);
    gate = convolution(layers, name + ".fc2", gate, {.filters = x.dims[0], .kernel = one, .bias = true});
    return multiply(layers, x, sigmoid(layers, gate));
}

// [c, h, w] -> [filters, h / stride, w / stride]
Activation inverted_residual(Layers& layers, const EfficientNet& config, const EfficientNet::Stage& stage,
                             const std::string& name, const Activation& x, std::int64_t filters, std::int64_t stride) {
    const std::int64_t inner = stage.expand == 1 ? x.dims[0] : round_filters(x.dims[0] * stage.expand, 1);
    const Window kernel{stage.kernel, stage.kernel};
    Activation y = x;
    int number = 0;
    const auto next = [&] { return name + ".block." + std::to_string(number++); };
    if (stage.fused) {
        const std::int64_t first = stage.expand == 1 ? filters : inner;
        y = convolve(layers, config, next(), y, {.filters = first, .kernel = kernel, .stride = stride});
        y = swish(layers, y);
        if (stage.expand != 1) y = convolve(layers, config, next(), y, {.filters = filters, .kernel = one});
    } else {
        if (stage.expand != 1)
            y = swish(layers, convolve(layers, config, next(), y, {.filters = inner, .kernel = one}));
        y = convolve(layers, config, next(), y,
                     {.filters = inner, .kernel = kernel, .stride = stride, .groups = inner});
        y = swish(layers, y);
        y = squeeze_and_excite(layers, next(), y, std::max<std::int64_t>(1, x.dims[0] / 4));
        y = convolve(layers, config, next(), y, {.filters = filters, .kernel = one});
    }
    return stride == 1 && x.dims[0] == filters ? add(layers, y, x) : y;
}

struct Scaling {
    double width, depth;
    std::int64_t size;
    float dropout;
};

EfficientNet scaled(EfficientNet config, std::span<const Scaling> scalings, int number) {
    if (number < 0 || number >= static_cast<int>(scalings.size()))
        throw std::runtime_error("EfficientNet: there is no B" + std::to_string(number) + "; the last is B" +
                                 std::to_string(scalings.size() - 1));
    const Scaling& scaling = scalings[static_cast<std::size_t>(number)];
    config.width = scaling.width;
    config.depth = scaling.depth;
    config.input = {3, scaling.size, scaling.size};
    config.dropout = scaling.dropout;
    return config;
}

}  // namespace

Layout efficientnet(const EfficientNet& config) {
    Layers layers("EfficientNet", config.input);
    layers.norm = config.norm;
    layers.convolution_start = he_normal_fan_out;
    Activation x = convolve(layers, config, "features.0", layers.input,
                            {.filters = round_filters(config.stem, config.width), .stride = 2});
    x = swish(layers, x);
    int number = 1;
    for (const EfficientNet::Stage& stage : config.stages) {
        const auto blocks = std::llround(std::ceil(static_cast<double>(stage.blocks) * config.depth));
        const std::int64_t filters = round_filters(stage.filters, config.width);
        const std::string name = "features." + std::to_string(number++) + ".";
        for (std::int64_t block = 0; block < blocks; ++block)
            x = inverted_residual(layers, config, stage, name + std::to_string(block), x, filters,
                                  block == 0 ? stage.stride : 1);
    }
    x = convolve(layers, config, "features." + std::to_string(number), x,
                 {.filters = round_filters(config.head, config.width), .kernel = one});
    const Rule by_classes = [](Fans fans) {
        return Start{Start::Kind::uniform, 1 / std::sqrt(static_cast<double>(fans.out))};
    };
    return finish(layers,
                  {classify(layers, "classifier.1", swish(layers, x), config.dropout, config.classes, by_classes)});
}

EfficientNet efficientnet_b(int number) {
    static constexpr Scaling scalings[] = {{1.0, 1.0, 224, 0.2f}, {1.0, 1.1, 240, 0.2f}, {1.1, 1.2, 260, 0.3f},
                                           {1.2, 1.4, 300, 0.3f}, {1.4, 1.8, 380, 0.4f}, {1.6, 2.2, 456, 0.4f},
                                           {1.8, 2.6, 528, 0.5f}, {2.0, 3.1, 600, 0.5f}};
    const EfficientNet base{.stages = {{false, 1, 3, 1, 16, 1},
                                       {false, 6, 3, 2, 24, 2},
                                       {false, 6, 5, 2, 40, 2},
                                       {false, 6, 3, 2, 80, 3},
                                       {false, 6, 5, 1, 112, 3},
                                       {false, 6, 5, 2, 192, 4},
                                       {false, 6, 3, 1, 320, 1}}};
    return scaled(base, scalings, number);
}

EfficientNet efficientnet_v2_b(int number) {
    static constexpr Scaling scalings[] = {
        {1.0, 1.0, 224, 0.2f}, {1.0, 1.1, 240, 0.2f}, {1.1, 1.2, 260, 0.3f}, {1.2, 1.4, 300, 0.3f}};
    const EfficientNet base{.stages = {{true, 1, 3, 1, 16, 1},
                                       {true, 4, 3, 2, 32, 2},
                                       {true, 4, 3, 2, 48, 2},
                                       {false, 4, 3, 2, 96, 3},
                                       {false, 6, 3, 1, 112, 5},
                                       {false, 6, 3, 2, 192, 8}}};
    return scaled(base, scalings, number);
}

EfficientNet efficientnet_v2_s() {
    return {.input = {3, 384, 384},
            .stem = 24,
            .stages = {{true, 1, 3, 1, 24, 2},
                       {true, 4, 3, 2, 48, 4},
                       {true, 4, 3, 2, 64, 4},
                       {false, 4, 3, 2, 128, 6},
                       {false, 6, 3, 1, 160, 9},
                       {false, 6, 3, 2, 256, 15}}};
}

EfficientNet efficientnet_v2_m() {
    return {.input = {3, 480, 480},
            .stem = 24,
            .stages = {{true, 1, 3, 1, 24, 3},
                       {true, 4, 3, 2, 48, 5},
                       {true, 4, 3, 2, 80, 5},
                       {false, 4, 3, 2, 160, 7},
                       {false, 6, 3, 1, 176, 14},
                       {false, 6, 3, 2, 304, 18},
                       {false, 6, 3, 1, 512, 5}},
            .dropout = 0.3f};
}

EfficientNet efficientnet_v2_l() {
    return {.input = {3, 480, 480},
            .stem = 32,
            .stages = {{true, 1, 3, 1, 32, 4},
                       {true, 4, 3, 2, 64, 7},
                       {true, 4, 3, 2, 96, 7},
                       {false, 4, 3, 2, 192, 10},
                       {false, 6, 3, 1, 224, 19},
                       {false, 6, 3, 2, 384, 25},
                       {false, 6, 3, 1, 640, 7}},
            .dropout = 0.4f};
}

}  // namespace ouaf::graph::builders
