// From-scratch networks: published parameter counts, portable weights, and that they run, here and in ONNX Runtime.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "native/graph/builders/builders.hpp"
#include "native/graph/head.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/random.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::builders;
using namespace ouaf::graph::test;

namespace {

std::int64_t trainable(const Layout& layout) { return parameter_count(layout).trainable; }
std::int64_t total(const Layout& layout) { return parameter_count(layout).total(); }

ResNet with_classes(ResNet config, std::int64_t classes) {
    config.classes = classes;
    return config;
}

// Small inputs for every family; batch norms and all kinds of blocks among them.
std::vector<std::pair<Layout, Dims>> small_networks() {
    Vgg narrow{.input = {3, 32, 32}, .stages = {{8}, {8, 16}}, .batch_norms = true, .hidden = {32}, .classes = 7};
    ResNet basic{.input = {3, 40, 56}, .depths = {1, 2}, .bottleneck = false, .classes = 7};
    ResNet grouped{.input = {3, 40, 56}, .depths = {1, 1}, .groups = 8, .width_per_group = 4, .classes = 7};
    ResNet original = grouped;
    original.stride_on_3x3 = false;
    DenseNet dense_net{.input = {3, 64, 64}, .depths = {2, 3}, .growth = 8, .stem = 16, .classes = 7};
    InceptionV3 inception{.input = {3, 75, 75}, .auxiliary = false, .classes = 7};
    InceptionResNetV2 inception_resnet{.input = {3, 75, 75}, .depths = {1, 1, 2}, .classes = 7};
    Xception separable{.input = {3, 71, 71}, .middle_blocks = 1, .hidden = {16}, .classes = 7};
    MobileNetV2 mobile{.input = {3, 65, 64}, .width = 0.35, .padding = Padding::same, .classes = 7};
    EfficientNet first = efficientnet_b(0);
    first.input = {3, 65, 64};
    first.width = 0.25;
    first.classes = 7;
    EfficientNet second = efficientnet_v2_b(0);
    second.input = {1, 64, 65};
    second.width = 0.25;
    second.padding = Padding::centred;
    second.classes = 7;
    return {
        {mlp({.hidden = {16}, .classes = 7}), {2, 1, 28, 28}},
        {cnn(mnist_cnn()), {2, 1, 28, 28}},
        {vgg(narrow), {2, 3, 32, 32}},
        {resnet(basic), {2, 3, 40, 56}},
        {resnet(grouped), {2, 3, 48, 33}},  // another size than it was made with
        {resnet(original), {2, 3, 40, 56}},
        {densenet(dense_net), {2, 3, 64, 64}},
        {inception_v3(inception), {1, 3, 80, 75}},
        {inception_resnet_v2(inception_resnet), {1, 3, 75, 75}},
        {xception(separable), {1, 3, 71, 72}},
        {mobilenet_v2(mobile), {2, 3, 65, 64}},
        {efficientnet(first), {2, 3, 65, 64}},
        {efficientnet(second), {2, 1, 64, 65}},
    };
}

// Statistics as after training, so that a batch norm that is read wrongly shows.
void move_statistics(Graph& graph, const Layout& layout) {
    std::uint32_t seed = 1;
    for (const Weight& weight : layout.weights)
        if (weight.role == Role::statistic) {
            const Tensor shift = noise(weight.dims, ++seed);
            const auto shifts = shift.values<float>();
            const auto values = graph.initializers.at(weight.name).values<float>();
            for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.3f * shifts[i];
        }
}

at::Tensor to_torch(const Tensor& tensor) {
    at::Tensor result = at::empty(tensor.dims, at::kFloat);
    std::memcpy(result.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.detach().contiguous();
    return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

}  // namespace

TEST_CASE("small from-scratch networks have the published parameters", "[graph][builders]") {
    CHECK(trainable(mlp({})) == 669'706);
    CHECK(trainable(cnn(mnist_cnn())) == 1'199'882);
    CHECK(trainable(cnn(cats_and_dogs_cnn())) == 1'212'513);
    CHECK(total(vgg(vgg_from_scratch())) == 62'279'608);
    CHECK(trainable(vgg(vgg_from_scratch())) == 62'276'280);
}

TEST_CASE("VGG and ResNet families have torchvision's parameters", "[graph][builders]") {
    CHECK(trainable(vgg(vgg11())) == 132'863'336);
    CHECK(trainable(vgg(vgg13())) == 133'047'848);
    CHECK(trainable(vgg(vgg16())) == 138'357'544);
    CHECK(trainable(vgg(vgg19())) == 143'667'240);
    Vgg normed = vgg16();
    normed.batch_norms = true;
    CHECK(trainable(vgg(normed)) == 138'365'992);
    CHECK(trainable(resnet(resnet18())) == 11'689'512);
    CHECK(trainable(resnet(resnet34())) == 21'797'672);
    CHECK(trainable(resnet(resnet50())) == 25'557'032);
    CHECK(trainable(resnet(resnet101())) == 44'549'160);
    CHECK(trainable(resnet(resnet152())) == 60'192'808);
    CHECK(trainable(resnet(wide_resnet50_2())) == 68'883'240);
    CHECK(trainable(resnet(resnext50_32x4d())) == 25'028'904);
    CHECK(trainable(resnet(resnext101_32x8d())) == 88'791'336);
    CHECK(trainable(resnet(resnext101_32x48d())) == 828'411'176);  // the published 829 million
    CHECK(trainable(resnet(with_classes(resnet50(), 120))) == 25'557'032 - 880 * 2049);
}

TEST_CASE("the other families have the published parameters", "[graph][builders]") {
    CHECK(trainable(densenet(densenet121())) == 7'978'856);
    CHECK(trainable(densenet(densenet161())) == 28'681'000);
    CHECK(trainable(densenet(densenet169())) == 14'149'480);
    CHECK(trainable(densenet(densenet201())) == 20'013'928);
    CHECK(trainable(inception_v3({})) == 27'161'264);
    CHECK(trainable(inception_v3({.auxiliary = false})) == 23'834'568);
    CHECK(trainable(mobilenet_v2({})) == 3'504'872);
    // Keras' published totals hold the statistics of the batch norms.
    CHECK(trainable(xception({})) == 22'855'952);
    CHECK(total(xception({})) == 22'910'480);
    CHECK(total(xception({.classes = 120})) == 21'107'360);
    CHECK(trainable(inception_resnet_v2({})) == 55'843'464);  // timm's; Keras leaves 30,272 scales out
    CHECK(trainable(efficientnet(efficientnet_b(0))) == 5'288'548);
    CHECK(trainable(efficientnet(efficientnet_b(1))) == 7'794'184);
    CHECK(trainable(efficientnet(efficientnet_b(2))) == 9'109'994);
    CHECK(trainable(efficientnet(efficientnet_b(3))) == 12'233'232);
    CHECK(trainable(efficientnet(efficientnet_b(4))) == 19'341'616);
    CHECK(trainable(efficientnet(efficientnet_b(5))) == 30'389'784);
    CHECK(trainable(efficientnet(efficientnet_b(6))) == 43'040'704);
    CHECK(trainable(efficientnet(efficientnet_b(7))) == 66'347'960);
    CHECK(trainable(efficientnet(efficientnet_v2_s())) == 21'458'488);
    CHECK(trainable(efficientnet(efficientnet_v2_m())) == 54'139'356);
    CHECK(trainable(efficientnet(efficientnet_v2_l())) == 118'515'272);
    CHECK(trainable(efficientnet(efficientnet_v2_b(0))) == 7'139'704);
    CHECK(total(efficientnet(efficientnet_v2_b(0))) == 7'200'312);
    CHECK(total(efficientnet(efficientnet_v2_b(1))) == 8'212'124);
    CHECK(total(efficientnet(efficientnet_v2_b(2))) == 10'178'374);
    CHECK(total(efficientnet(efficientnet_v2_b(3))) == 14'486'374);
}

TEST_CASE("every family runs as in ONNX Runtime and has a head and gradients", "[graph][builders]") {
    for (const auto& [layout, dims] : small_networks()) {
        INFO(layout.name);
        Graph graph = make_graph(layout, 3);
        move_statistics(graph, layout);
        const Tensor images = noise(dims, 5);
        const auto reference = run_onnxruntime(graph, images);  // passes the checker on its way
        Network network(graph);
        const at::Tensor logits = network.forward(to_torch(images));
        CHECK(logits.sizes() == at::IntArrayRef(reference.dims));
        CHECK(relative_difference(to_vector(logits), reference.values) < 1e-4);
        CHECK(find_head(graph).classes == logits.size(1));

        std::map<std::string, Role> roles;
        for (const Weight& weight : layout.weights) roles[weight.name] = weight.role;
        for (Parameter& parameter : network.parameters())
            if (roles.contains(parameter.name)) parameter.tensor.requires_grad_(true);
        network.forward(to_torch(images)).square().sum().backward();
        std::int64_t trained = 0;
        for (const Parameter& parameter : network.parameters()) {
            if (!roles.contains(parameter.name)) continue;  // a fixed scale
            CHECK(roles.at(parameter.name) == Role::trainable);
            CHECK(parameter.tensor.grad().defined());
            trained += parameter.tensor.numel();
        }
        CHECK(trained == trainable(layout));
        std::int64_t statistics = 0;
        for (const Parameter& buffer : network.buffers()) statistics += buffer.tensor.numel();
        CHECK(statistics == parameter_count(layout).statistics);
    }
}

TEST_CASE("logits keep their scale through deep networks that were just made", "[graph][builders]") {
    // A wrong start shows as values that vanish or explode with depth. Batch norms are given the statistics of
    // a first step only by training, so this takes the networks without them.
    Cnn deep{.input = {3, 32, 32}, .stages = {}, .padding = Padding::centred, .global_pool = true};
    deep.stages.assign(3, {.filters = {64, 64, 64, 64}});
    const at::Tensor logits = Network(make_graph(cnn(deep), 1)).forward(to_torch(noise({2, 3, 32, 32}, 2)));
    CHECK(logits.abs().max().item<double>() < 10);
    CHECK(logits.abs().max().item<double>() > 1e-6);
}

TEST_CASE("the second output of Inception-v3 is its auxiliary head", "[graph][builders]") {
    const Layout layout = inception_v3({.classes = 7});
    REQUIRE(layout.outputs.size() == 2);
    Graph graph = make_graph(layout, 1);
    std::swap(graph.outputs[0], graph.outputs[1]);  // Network and the reference give the first
    const Tensor images = noise({1, 3, 299, 299}, 2);
    const at::Tensor logits = Network(graph).forward(to_torch(images));
    CHECK(logits.sizes() == at::IntArrayRef({1, 7}));
    CHECK(relative_difference(to_vector(logits), run_onnxruntime(graph, images).values) < 1e-4);
}

TEST_CASE("random numbers are the same on every machine", "[graph][builders]") {
    // Computed apart, with Python's own generator and exact arithmetic.
    Random random(7, "layer.weight");
    const double uniform = random.uniform();
    const double first = random.normal();
    const double second = random.normal();
    CAPTURE(uniform, first, second);
    CHECK(uniform == 0x1.ba42312786fe7p-1);
    CHECK(first == 0x1.ed2d1e43f8acbp-3);
    CHECK(second == -0x1.ab2c7b6e17937p-1);

    double sum = 0;
    double squares = 0;
    double fourths = 0;
    int beyond_two = 0;
    constexpr int count = 400'000;
    for (int i = 0; i < count; ++i) {
        const double value = random.normal();
        sum += value;
        squares += value * value;
        fourths += value * value * value * value;
        beyond_two += std::abs(value) > 2;
    }
    CHECK(std::abs(sum / count) < 0.01);
    CHECK(std::abs(squares / count - 1) < 0.01);
    CHECK(std::abs(fourths / count - 3) < 0.08);
    CHECK(std::abs(beyond_two / static_cast<double>(count) - 0.0455) < 0.002);
}

TEST_CASE("weights start as asked, by the seed and their name alone", "[graph][builders]") {
    const auto values = [](const Graph& made, const std::string& name) {
        return to_floats(made.initializers.at(name));
    };
    const Graph graph = make_graph(cnn(mnist_cnn()), 1);
    CHECK((serialise_onnx(graph) == serialise_onnx(make_graph(cnn(mnist_cnn()), 1))));
    CHECK_FALSE(values(graph, "conv2.weight") == values(make_graph(cnn(mnist_cnn()), 2), "conv2.weight"));
    Cnn more = mnist_cnn();
    more.classes = 12;
    CHECK(values(graph, "conv2.weight") == values(make_graph(cnn(more), 1), "conv2.weight"));

    const auto deviation = [](const Graph& made, const std::string& name) {
        return to_torch(made.initializers.at(name)).std().item<double>();
    };
    CHECK(deviation(graph, "conv2.weight") == Approx(std::sqrt(2.0 / (9 * 96))).epsilon(0.03));  // Glorot
    CHECK(to_torch(graph.initializers.at("conv2.bias")).abs().max().item<double>() == 0);
    const Graph residual = make_graph(resnet({.depths = {1, 1}, .zero_last_gamma = true, .classes = 64}), 1);
    CHECK(deviation(residual, "layer2.0.conv2.weight") == Approx(std::sqrt(2.0 / (9 * 128))).epsilon(0.03));  // He
    CHECK(deviation(residual, "fc.weight") == Approx(0.01).epsilon(0.03));
    CHECK(to_torch(residual.initializers.at("layer1.0.bn3.weight")).abs().max().item<double>() == 0);
    const Graph truncated = make_graph(inception_v3({.classes = 8}), 1);
    const at::Tensor weight = to_torch(truncated.initializers.at("Mixed_7b.branch1x1.conv.weight"));
    CHECK(weight.abs().max().item<double>() < 0.2);
    CHECK(weight.std().item<double>() == Approx(0.1 * 0.8796).epsilon(0.01));
}

TEST_CASE("networks that cannot be are refused", "[graph][builders]") {
    CHECK(error_of([] {
              vgg({.input = {3, 16, 16}, .stages = vgg16().stages});
          }) == "VGG: the input is too small: a pool lays a window of 2 over 1 pixels");
    CHECK(error_of([] { inception_v3({.input = {3, 64, 64}}); }).starts_with("InceptionV3: the input is too small"));
    CHECK(error_of([] { resnet({.depths = {1}, .groups = 7, .width_per_group = 4}); }) == "");
    CHECK(error_of([] { cnn({.stages = {{.filters = {0}}}}); }) == "CNN: conv1 has 3 channels, 0 filters and 1 groups");
    CHECK(error_of([] { mlp({.dropout = 1.5f}); }) == "MLP: dropout is 1.500000; it is in [0, 1)");
    CHECK(error_of([] { mlp({.classes = 0}); }) == "MLP: classifier.6 has 0 units");
    CHECK(error_of([] { efficientnet_b(8); }) == "EfficientNet: there is no B8; the last is B7");
    CHECK(error_of([] { mlp({.input = {1, 0, 28}}); }) == "MLP: the input has a size of 0");
}
