// ResNet, wide ResNet and ResNeXt: residual blocks of two or three convolutions.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};
constexpr std::int64_t expansion = 4;  // a bottleneck block's output over its nominal width

// What the block adds its result to: x itself, or a 1x1 convolution of it where the dims change.
Activation shortcut(Layers& layers, const std::string& name, const Activation& x, std::int64_t filters,
                    std::int64_t stride) {
    if (stride == 1 && x.dims[0] == filters) return x;
    const Activation y =
        convolution(layers, name + ".downsample.0", x, {.filters = filters, .kernel = one, .stride = stride});
    return batch_norm(layers, name + ".downsample.1", y);
}

// [c, h, w] -> [width, h / stride, w / stride]
Activation basic_block(Layers& layers, const ResNet& config, const std::string& name, const Activation& x,
                       std::int64_t width, std::int64_t stride) {
    Activation y = convolution(layers, name + ".conv1", x, {.filters = width, .stride = stride});
    y = relu(layers, batch_norm(layers, name + ".bn1", y));
    y = convolution(layers, name + ".conv2", y, {.filters = width});
    y = batch_norm(layers, name + ".bn2", y, config.zero_last_gamma ? 0 : 1);
    return relu(layers, add(layers, y, shortcut(layers, name, x, width, stride)));
}

// [c, h, w] -> [4 width, h / stride, w / stride]
Activation bottleneck_block(Layers& layers, const ResNet& config, const std::string& name, const Activation& x,
                            std::int64_t width, std::int64_t stride) {
    const std::int64_t inner = width * config.width_per_group / 64 * config.groups;
    const std::int64_t stride_1x1 = config.stride_on_3x3 ? 1 : stride;
    Activation y = convolution(layers, name + ".conv1", x, {.filters = inner, .kernel = one, .stride = stride_1x1});
    y = relu(layers, batch_norm(layers, name + ".bn1", y));
    y = convolution(layers, name + ".conv2", y,
                    {.filters = inner, .stride = stride / stride_1x1, .groups = config.groups});
    y = relu(layers, batch_norm(layers, name + ".bn2", y));
    y = convolution(layers, name + ".conv3", y, {.filters = width * expansion, .kernel = one});
    y = batch_norm(layers, name + ".bn3", y, config.zero_last_gamma ? 0 : 1);
    return relu(layers, add(layers, y, shortcut(layers, name, x, width * expansion, stride)));
}

}  // namespace

Layout resnet(const ResNet& config) {
    Layers layers(config.groups > 1 ? "ResNeXt" : "ResNet", config.input);
    Activation x = convolution(layers, "conv1", layers.input, {.filters = 64, .kernel = {7, 7}, .stride = 2});
    x = relu(layers, batch_norm(layers, "bn1", x));
    x = max_pool(layers, x, {.size = 3, .stride = 2, .padding = Padding::centred});
    std::int64_t width = 64;
    for (std::size_t stage = 0; stage < config.depths.size(); ++stage) {
        for (std::int64_t block = 0; block < config.depths[stage]; ++block) {
            const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
            const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
            x = (config.bottleneck ? bottleneck_block : basic_block)(layers, config, name, x, width, stride);
        }
        width *= 2;
    }
    const Rule small = [](Fans) { return Start{Start::Kind::normal, 0.01}; };
    return finish(layers, {classify(layers, "fc", x, 0, config.classes, small)});
}

ResNet resnet18() { return {.depths = {2, 2, 2, 2}, .bottleneck = false}; }
ResNet resnet34() { return {.depths = {3, 4, 6, 3}, .bottleneck = false}; }
ResNet resnet50() { return {.depths = {3, 4, 6, 3}}; }
ResNet resnet101() { return {.depths = {3, 4, 23, 3}}; }
ResNet resnet152() { return {.depths = {3, 8, 36, 3}}; }
ResNet wide_resnet50_2() { return {.depths = {3, 4, 6, 3}, .width_per_group = 128}; }
ResNet resnext50_32x4d() { return {.depths = {3, 4, 6, 3}, .groups = 32, .width_per_group = 4}; }
ResNet resnext101_32x8d() { return {.depths = {3, 4, 23, 3}, .groups = 32, .width_per_group = 8}; }
ResNet resnext101_32x48d() { return {.depths = {3, 4, 23, 3}, .groups = 32, .width_per_group = 48}; }

}  // namespace ouaf::graph::builders
