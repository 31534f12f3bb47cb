// See networks.hpp.
#include "native/train/networks.hpp"

#include <functional>
#include <map>
#include <stdexcept>

namespace ouaf {
namespace {

using namespace graph::builders;
using Make = std::function<Layout(const NetworkOptions& options, const graph::Dims& input, std::int64_t classes)>;

[[noreturn]] void fail(const char* key) {
    throw std::runtime_error(std::string("the network has no ") + key + " to choose; leave '" + key + "' out");
}

// The configuration with other choices, another input and other classes.
template <class Config>
Make with(Layout (*build)(const Config&), Config config) {
    return [=](const NetworkOptions& options, const graph::Dims& input, std::int64_t classes) {
        Config changed = config;
        changed.input = input;
        changed.classes = classes;
        if (options.dropout) {
            if constexpr (requires { changed.dropout; }) changed.dropout = static_cast<float>(*options.dropout);
            else fail("dropout");
        }
        if (options.pooling) {
            if constexpr (requires { changed.pooling; }) changed.pooling = *options.pooling;
            else fail("pooling");
        }
        if (options.batch_norms) {
            if constexpr (requires { changed.batch_norms; }) changed.batch_norms = *options.batch_norms;
            else fail("batch_norms");
        }
        return build(changed);
    };
}

const std::map<std::string, Make>& table() {
    static const std::map<std::string, Make> networks{
        {"mlp", with(mlp, Mlp{})},
        {"mnist_cnn", with(cnn, mnist_cnn())},
        {"cifar10_cnn", with(cnn, cifar10_cnn())},
        {"cats_and_dogs_cnn", with(cnn, cats_and_dogs_cnn())},
        {"vgg11", with(vgg, vgg11())},
        {"vgg16", with(vgg, vgg16())},
        {"vgg_from_scratch", with(vgg, vgg_from_scratch())},
        {"resnet18", with(resnet, resnet18())},
        {"resnet34", with(resnet, resnet34())},
        {"resnet50", with(resnet, resnet50())},
        {"resnet101", with(resnet, resnet101())},
        {"resnext50_32x4d", with(resnet, resnext50_32x4d())},
        {"resnext101_32x8d", with(resnet, resnext101_32x8d())},
        {"densenet121", with(densenet, densenet121())},
        {"inception_v3", with(inception_v3, InceptionV3{.auxiliary = false})},
        {"inception_resnet_v2", with(inception_resnet_v2, InceptionResNetV2{})},
        {"xception", with(xception, Xception{})},
        {"mobilenet_v2", with(mobilenet_v2, MobileNetV2{})},
        {"efficientnet_b0", with(efficientnet, efficientnet_b(0))},
        {"efficientnet_v2_b0", with(efficientnet, efficientnet_v2_b(0))},
        {"efficientnet_v2_s", with(efficientnet, efficientnet_v2_s())},
    };
    return networks;
}

}  // namespace

graph::Graph make_network(const std::string& name, const NetworkOptions& options, const PictureSize& pictures,
                          std::int64_t classes, std::uint64_t seed) {
    const auto found = table().find(name);
    if (found == table().end()) {
        std::string names;
        for (const auto& [known, make] : table()) names += (names.empty() ? "" : ", ") + known;
        throw std::runtime_error("there is no network '" + name + "'; choose one of " + names);
    }
    return make_graph(found->second(options, {pictures.channels, pictures.height, pictures.width}, classes), seed);
}

}  // namespace ouaf
