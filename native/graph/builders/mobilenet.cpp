// MobileNetV2: inverted residuals with linear bottlenecks.
#include <algorithm>

#include "native/graph/builders/builders.hpp"
#include "native/graph/builders/round_filters.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};

// [c, h, w] -> [filters, h / stride, w / stride]: 1x1 up to expand * c, depthwise 3x3, 1x1 down without ReLU
Activation inverted_residual(Layers& layers, const MobileNetV2& config, const std::string& name, const Activation& x,
                             std::int64_t expand, std::int64_t filters, std::int64_t stride) {
    const std::int64_t inner = x.dims[0] * expand;
    Activation y = x;
    int number = 0;  // torchvision counts from the expansion, which the first block has not
    if (expand != 1) {
        const std::string up = name + ".conv." + std::to_string(number++);
        y = convolution(layers, up + ".0", y, {.filters = inner, .kernel = one});
        y = relu6(layers, batch_norm(layers, up + ".1", y));
    }
    const std::string depthwise = name + ".conv." + std::to_string(number++);
    y = convolution(layers, depthwise + ".0", y,
                    {.filters = inner, .stride = stride, .groups = inner, .padding = config.padding});
    y = relu6(layers, batch_norm(layers, depthwise + ".1", y));
    y = convolution(layers, name + ".conv." + std::to_string(number), y, {.filters = filters, .kernel = one});
    y = batch_norm(layers, name + ".conv." + std::to_string(number + 1), y);
    return stride == 1 && x.dims[0] == filters ? add(layers, x, y) : y;
}

}  // namespace

Layout mobilenet_v2(const MobileNetV2& config) {
    struct Stage {
        std::int64_t expand, filters, blocks, stride;
    };
    constexpr Stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    Layers layers("MobileNetV2", config.input);
    layers.convolution_start = he_normal_fan_out;
    Activation x = convolution(layers, "features.0.0", layers.input,
                               {.filters = round_filters(32, config.width), .stride = 2, .padding = config.padding});
    x = relu6(layers, batch_norm(layers, "features.0.1", x));
    int number = 1;
    for (const Stage& stage : stages)
        for (std::int64_t block = 0; block < stage.blocks; ++block)
            x = inverted_residual(layers, config, "features." + std::to_string(number++), x, stage.expand,
                                  round_filters(stage.filters, config.width), block == 0 ? stage.stride : 1);
    const std::string last = "features." + std::to_string(number);
    x = convolution(layers, last + ".0", x,
                    {.filters = round_filters(1280, std::max(1.0, config.width)), .kernel = one});
    x = relu6(layers, batch_norm(layers, last + ".1", x));
    const Rule small = [](Fans) { return Start{Start::Kind::normal, 0.01}; };
    return finish(layers, {classify(layers, "classifier.1", x, config.dropout, config.classes, small)});
}

}  // namespace ouaf::graph::builders
