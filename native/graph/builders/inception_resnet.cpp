// Inception-ResNet-v2: Inception modules whose result is scaled down and added to what came in.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};
constexpr Window three{3, 3};

// One convolution of a branch; after it a batch norm and ReLU. Stride 2 has no padding.
struct Step {
    std::int64_t filters;
    Window kernel = one;
    std::int64_t stride = 1;
};

Activation branch(Layers& layers, const std::string& name, Activation x, const std::vector<Step>& steps) {
    int number = 0;
    for (const Step& step : steps) {
        const std::string full = name + "." + std::to_string(number++);
        x = convolution(layers, full + ".conv", x,
                        {.filters = step.filters,
                         .kernel = step.kernel,
                         .stride = step.stride,
                         .padding = step.stride > 1 ? Padding::valid : Padding::centred});
        x = relu(layers, batch_norm(layers, full + ".bn", x));
    }
    return x;
}

std::vector<Activation> branches(Layers& layers, const std::string& name, const Activation& x,
                                 const std::vector<std::vector<Step>>& all) {
    std::vector<Activation> results;
    for (const auto& steps : all)
        results.push_back(branch(layers, name + ".branch" + std::to_string(results.size()), x, steps));
    return results;
}

// [c, h, w] -> [c, h, w]: x + factor * (1x1 convolution of the joined branches)
Activation residual(Layers& layers, const std::string& name, const Activation& x, float factor,
                    const std::vector<std::vector<Step>>& all) {
    const Activation mixed = concatenate(layers, branches(layers, name, x, all));
    Activation up = convolution(layers, name + ".conv", mixed, {.filters = x.dims[0], .kernel = one, .bias = true});
    if (factor != 1) up = scale(layers, up, factor);
    return add(layers, x, up);
}

// Branches of stride 2 beside a max pool.
Activation reduction(Layers& layers, const std::string& name, const Activation& x,
                     const std::vector<std::vector<Step>>& all) {
    auto parts = branches(layers, name, x, all);
    parts.push_back(max_pool(layers, x, {.size = 3}));
    return concatenate(layers, parts);
}

// [channels, 299, 299] -> [320, 35, 35]
Activation stem(Layers& layers) {
    const auto unpadded = [&](const std::string& name, const Activation& x, std::int64_t filters, Window kernel) {
        const Activation y =
            convolution(layers, name + ".conv", x, {.filters = filters, .kernel = kernel, .padding = Padding::valid});
        return relu(layers, batch_norm(layers, name + ".bn", y));
    };
    Activation x = branch(layers, "stem1", layers.input, {{32, three, 2}});
    x = unpadded("stem2", x, 32, three);
    x = branch(layers, "stem3", x, {{64, three}});
    x = max_pool(layers, x, {.size = 3});
    x = unpadded("stem4", x, 80, one);
    x = unpadded("stem5", x, 192, three);
    x = max_pool(layers, x, {.size = 3});
    auto parts = branches(layers, "mixed_5b", x, {{{96}}, {{48}, {64, {5, 5}}}, {{64}, {96, three}, {96, three}}});
    const Activation mean = average_pool(layers, x, {.size = 3, .stride = 1, .padding = Padding::centred});
    parts.push_back(branch(layers, "mixed_5b.branch3", mean, {{64}}));
    return concatenate(layers, parts);
}

}  // namespace

Layout inception_resnet_v2(const InceptionResNetV2& config) {
    Layers layers("InceptionResNetV2", config.input);
    if (config.depths.size() != 3 || config.residual_scales.size() != 3)
        throw std::runtime_error("InceptionResNetV2: depths and residual_scales are three each: blocks A, B and C");
    layers.norm = {.epsilon = 1e-3f, .momentum = 0.995f};
    layers.convolution_start = glorot_uniform;
    const auto name = [](const char* block, std::int64_t number) { return block + std::to_string(number); };
    Activation x = stem(layers);
    for (std::int64_t i = 0; i < config.depths[0]; ++i)
        x = relu(layers, residual(layers, name("block_a.", i), x, config.residual_scales[0],
                                  {{{32}}, {{32}, {32, three}}, {{32}, {48, three}, {64, three}}}));
    x = reduction(layers, "mixed_6a", x, {{{384, three, 2}}, {{256}, {256, three}, {384, three, 2}}});
    for (std::int64_t i = 0; i < config.depths[1]; ++i)
        x = relu(layers, residual(layers, name("block_b.", i), x, config.residual_scales[1],
                                  {{{192}}, {{128}, {160, {1, 7}}, {192, {7, 1}}}}));
    x = reduction(layers, "mixed_7a", x,
                  {{{256}, {384, three, 2}}, {{256}, {288, three, 2}}, {{256}, {288, three}, {320, three, 2}}});
    for (std::int64_t i = 0; i < config.depths[2]; ++i) {
        const bool last = i + 1 == config.depths[2];
        x = residual(layers, name("block_c.", i), x, last ? 1 : config.residual_scales[2],
                     {{{192}}, {{192}, {224, {1, 3}}, {256, {3, 1}}}});
        if (!last) x = relu(layers, x);
    }
    x = branch(layers, "conv_7b", x, {{1536}});
    return finish(layers, {classify(layers, "classifier", x, config.dropout, config.classes)});
}

}  // namespace ouaf::graph::builders
