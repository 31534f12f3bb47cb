// Inception-v3: modules of parallel branches with factorised convolutions. The letters of the modules are those
// of the figures in the paper as torchvision counts them: A figure 5, B and D reduce, C figure 6, E figure 7.
#include "native/graph/builders/builders.hpp"

namespace ouaf::graph::builders {

namespace {

constexpr Window one{1, 1};
constexpr Window three{3, 3};
constexpr Window row{1, 7};
constexpr Window column{7, 1};
constexpr std::int64_t halve = 2;

// The parts of one module, named MODULE.PART. Every convolution is followed by a batch norm and ReLU; one with
// a stride has no padding.
struct Module {
    Layers& layers;
    const InceptionV3& config;
    std::string name;

    Activation convolve(const std::string& part, const Activation& x, std::int64_t filters, Window kernel,
                        std::int64_t stride = 1, Padding padding = Padding::centred) const {
        const std::string full = name.empty() ? part : name + "." + part;
        const Activation y = convolution(
            layers, full + ".conv", x,
            {.filters = filters, .kernel = kernel, .stride = stride, .padding = stride > 1 ? Padding::valid : padding});
        return relu(layers, batch_norm(layers, full + ".bn", y));
    }

    Activation pooled(const Activation& x, std::int64_t filters) const {
        const Pool pool{
            .size = 3, .stride = 1, .padding = Padding::centred, .counts_padding = config.pool_counts_padding};
        return convolve("branch_pool", average_pool(layers, x, pool), filters, one);
    }
};

Activation module_a(const Module& m, const Activation& x, std::int64_t pool_filters) {
    const Activation single = m.convolve("branch1x1", x, 64, one);
    Activation wide = m.convolve("branch5x5_1", x, 48, one);
    wide = m.convolve("branch5x5_2", wide, 64, {5, 5});
    Activation twice = m.convolve("branch3x3dbl_1", x, 64, one);
    twice = m.convolve("branch3x3dbl_2", twice, 96, three);
    twice = m.convolve("branch3x3dbl_3", twice, 96, three);
    return concatenate(m.layers, {single, wide, twice, m.pooled(x, pool_filters)});
}

Activation module_b(const Module& m, const Activation& x) {
    const Activation once = m.convolve("branch3x3", x, 384, three, halve);
    Activation twice = m.convolve("branch3x3dbl_1", x, 64, one);
    twice = m.convolve("branch3x3dbl_2", twice, 96, three);
    twice = m.convolve("branch3x3dbl_3", twice, 96, three, halve);
    return concatenate(m.layers, {once, twice, max_pool(m.layers, x, {.size = 3})});
}

Activation module_c(const Module& m, const Activation& x, std::int64_t inner) {
    const Activation single = m.convolve("branch1x1", x, 192, one);
    Activation once = m.convolve("branch7x7_1", x, inner, one);
    once = m.convolve("branch7x7_2", once, inner, row);
    once = m.convolve("branch7x7_3", once, 192, column);
    Activation twice = m.convolve("branch7x7dbl_1", x, inner, one);
    twice = m.convolve("branch7x7dbl_2", twice, inner, column);
    twice = m.convolve("branch7x7dbl_3", twice, inner, row);
    twice = m.convolve("branch7x7dbl_4", twice, inner, column);
    twice = m.convolve("branch7x7dbl_5", twice, 192, row);
    return concatenate(m.layers, {single, once, twice, m.pooled(x, 192)});
}

Activation module_d(const Module& m, const Activation& x) {
    Activation once = m.convolve("branch3x3_1", x, 192, one);
    once = m.convolve("branch3x3_2", once, 320, three, halve);
    Activation wide = m.convolve("branch7x7x3_1", x, 192, one);
    wide = m.convolve("branch7x7x3_2", wide, 192, row);
    wide = m.convolve("branch7x7x3_3", wide, 192, column);
    wide = m.convolve("branch7x7x3_4", wide, 192, three, halve);
    return concatenate(m.layers, {once, wide, max_pool(m.layers, x, {.size = 3})});
}

Activation module_e(const Module& m, const Activation& x) {
    const Activation single = m.convolve("branch1x1", x, 320, one);
    const Activation once = m.convolve("branch3x3_1", x, 384, one);
    const Activation once_row = m.convolve("branch3x3_2a", once, 384, {1, 3});
    const Activation once_column = m.convolve("branch3x3_2b", once, 384, {3, 1});
    Activation twice = m.convolve("branch3x3dbl_1", x, 448, one);
    twice = m.convolve("branch3x3dbl_2", twice, 384, three);
    const Activation twice_row = m.convolve("branch3x3dbl_3a", twice, 384, {1, 3});
    const Activation twice_column = m.convolve("branch3x3dbl_3b", twice, 384, {3, 1});
    return concatenate(m.layers, {single, once_row, once_column, twice_row, twice_column, m.pooled(x, 192)});
}

Start deviation(double value) { return {Start::Kind::truncated_normal, value}; }

// [768, 17, 17] -> [classes]
Activation auxiliary_head(Layers& layers, const InceptionV3& config, const Activation& x) {
    const Module m{layers, config, "AuxLogits"};
    Activation y = average_pool(layers, x, {.size = 5, .stride = 3});
    y = m.convolve("conv0", y, 128, one);
    y = convolution(
        layers, "AuxLogits.conv1.conv", y,
        {.filters = 768, .kernel = {5, 5}, .padding = Padding::valid, .start = [](Fans) { return deviation(0.01); }});
    y = relu(layers, batch_norm(layers, "AuxLogits.conv1.bn", y));
    return classify(layers, "AuxLogits.fc", y, 0, config.classes, [](Fans) { return deviation(0.001); });
}

}  // namespace

Layout inception_v3(const InceptionV3& config) {
    Layers layers("InceptionV3", config.input);
    layers.norm = {.epsilon = 1e-3f, .momentum = 0.9f};
    layers.convolution_start = layers.dense_start = [](Fans) { return deviation(0.1); };
    const auto module = [&](const std::string& name) { return Module{layers, config, name}; };
    const Module stem = module("");
    Activation x = stem.convolve("Conv2d_1a_3x3", layers.input, 32, three, halve);
    x = stem.convolve("Conv2d_2a_3x3", x, 32, three, 1, Padding::valid);
    x = stem.convolve("Conv2d_2b_3x3", x, 64, three);
    x = max_pool(layers, x, {.size = 3});
    x = stem.convolve("Conv2d_3b_1x1", x, 80, one);
    x = stem.convolve("Conv2d_4a_3x3", x, 192, three, 1, Padding::valid);
    x = max_pool(layers, x, {.size = 3});
    x = module_a(module("Mixed_5b"), x, 32);
    x = module_a(module("Mixed_5c"), x, 64);
    x = module_a(module("Mixed_5d"), x, 64);
    x = module_b(module("Mixed_6a"), x);
    x = module_c(module("Mixed_6b"), x, 128);
    x = module_c(module("Mixed_6c"), x, 160);
    x = module_c(module("Mixed_6d"), x, 160);
    x = module_c(module("Mixed_6e"), x, 192);
    const Activation middle = x;
    x = module_d(module("Mixed_7a"), x);
    x = module_e(module("Mixed_7b"), x);
    x = module_e(module("Mixed_7c"), x);
    std::vector<Activation> outputs{classify(layers, "fc", x, config.dropout, config.classes)};
    if (config.auxiliary) outputs.push_back(auxiliary_head(layers, config, middle));
    return finish(std::move(layers), outputs);
}

}  // namespace ouaf::graph::builders
