// The executable network: the supplied backbones, gradients, fused steps, the feature cut, its errors.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <catch2/catch.hpp>

#include "native/graph/canonicalise.hpp"
#include "native/graph/head.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor to_torch(const Tensor& tensor) {
    at::Tensor result = at::empty(tensor.dims, at::kFloat);
    std::memcpy(result.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.detach().contiguous();
    const float* first = dense.const_data_ptr<float>();
    return {first, first + dense.numel()};
}

// All that a small modern network has: SiLU, a squeeze-and-excite gate, a residual sum, ReLU6, a head.
Graph small_network() {
    std::vector<Node> nodes{
        {"Conv", "", "stem", {"x", "w1", "b1"}, {"c1"}, {{"pads", Ints{0, 0, 1, 1}}, {"strides", Ints{2, 2}}}},
        {"Sigmoid", "", "", {"c1"}, {"s1"}, {}},
        {"Mul", "", "", {"c1", "s1"}, {"a1"}, {}},
        {"GlobalAveragePool", "", "", {"a1"}, {"p1"}, {}},
        {"Conv", "", "gate", {"p1", "w2", "b2"}, {"c2"}, {}},
        {"Sigmoid", "", "", {"c2"}, {"s2"}, {}},
        {"Mul", "", "", {"a1", "s2"}, {"g"}, {}},
        {"Conv", "", "mix", {"g", "w3", "b3"}, {"c3"}, {{"pads", Ints{1, 1, 1, 1}}}},
        {"Add", "", "", {"c3", "a1"}, {"r"}, {}},
        {"Conv", "", "last", {"r", "w4"}, {"c4"}, {{"group", std::int64_t{4}}}},
        {"Clip", "", "", {"c4", "zero", "six"}, {"a4"}, {}},
        {"GlobalAveragePool", "", "", {"a4"}, {"p4"}, {}},
        {"Flatten", "", "", {"p4"}, {"f"}, {}},
        {"Gemm", "", "head", {"f", "w5", "b5"}, {"y"}, {{"transB", std::int64_t{1}}}},
    };
    Graph graph = make_graph({2, 3, 8, 8}, std::move(nodes),
                             {{"w1", noise({4, 3, 3, 3}, 1)},
                              {"b1", noise({4}, 2)},
                              {"w2", noise({4, 4, 1, 1}, 3)},
                              {"b2", noise({4}, 4)},
                              {"w3", noise({4, 4, 3, 3}, 5)},
                              {"b3", noise({4}, 6)},
                              {"w4", noise({4, 1, 1, 1}, 7)},
                              {"w5", noise({3, 4}, 8)},
                              {"b5", noise({3}, 9)},
                              {"zero", number(0)},
                              {"six", number(6)}});
    graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{2}, std::int64_t{3}}};
    return graph;
}

}  // namespace

TEST_CASE("the supplied backbones give ONNX Runtime's logits", "[graph][shared]") {
    for (const std::string name : {"efficientnetv2_b0", "efficientnet_lite0", "efficientnet_lite4"}) {
        const std::string path = shared_file("backbones/" + name + ".onnx");
        if (path.empty()) return;
        INFO(name);
        const Graph graph = load_onnx(path);
        const Tensor input = noise({2, 3, 160, 192}, 3);
        const auto reference = run_onnxruntime(graph, input);
        Network network(graph);
        const at::Tensor logits = network.forward(to_torch(input));
        CHECK(logits.sizes() == at::IntArrayRef(reference.dims));
        CHECK(relative_difference(to_vector(logits), reference.values) < 1e-4);
        const at::Tensor recorded = network.forward(to_torch(input).requires_grad_(true));
        CHECK(relative_difference(to_vector(recorded), reference.values) < 1e-4);
    }
}

TEST_CASE("fused inference, recorded training and ONNX Runtime agree", "[graph]") {
    const Graph graph = small_network();
    const Tensor input = noise({2, 3, 8, 8}, 11);
    const auto reference = run_onnxruntime(graph, input).values;
    Network network(graph);
    const at::Tensor x = to_torch(input);
    CHECK(relative_difference(to_vector(network.forward(x)), reference) < 1e-5);
    CHECK(relative_difference(to_vector(network.forward(x.clone().requires_grad_(true))), reference) < 1e-5);
    // Steps overwrite activations, never what the caller holds.
    CHECK(to_vector(x) == to_vector(to_torch(input)));
    const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast);
    CHECK(relative_difference(to_vector(network.forward(last)), reference) < 1e-5);
    CHECK(to_vector(last) == to_vector(x));
}

TEST_CASE("a residual that is read again afterwards is not overwritten", "[graph]") {
    // r = conv(x) + x2 where x2 is read once more after the sum, and a sum that broadcasts.
    std::vector<Node> nodes{
        {"Conv", "", "", {"x", "w"}, {"a"}, {}},     {"Conv", "", "", {"a", "w"}, {"b"}, {}},
        {"Add", "", "", {"b", "a"}, {"r"}, {}},      {"Relu", "", "", {"r"}, {"q"}, {}},
        {"GlobalMaxPool", "", "", {"a"}, {"p"}, {}}, {"Conv", "", "", {"q", "w"}, {"d"}, {}},
        {"Add", "", "", {"p", "d"}, {"e"}, {}},      {"Mul", "", "", {"e", "a"}, {"y"}, {}},
    };
    Graph graph = make_graph({2, 4, 5, 5}, std::move(nodes), {{"w", noise({4, 4, 1, 1}, 2)}});
    graph.outputs[0] = {
        "y", DType::float32, true, {std::int64_t{2}, std::int64_t{4}, std::int64_t{5}, std::int64_t{5}}};
    const Tensor input = noise({2, 4, 5, 5}, 3);
    Network network(graph);
    CHECK(relative_difference(to_vector(network.forward(to_torch(input))), run_onnxruntime(graph, input).values) <
          1e-5);
}

TEST_CASE("a large batch that runs in parts gives each image its own result", "[graph]") {
    Graph graph = small_network();
    graph.inputs[0].dims = {std::string("batch"), std::int64_t{3}, std::string("h"), std::string("w")};
    graph.outputs[0].dims[0] = std::string("batch");
    Network network(graph);
    const at::Tensor x = to_torch(noise({3, 3, 640, 640}, 5));  // more than one is over the limit
    const at::Tensor logits = network.forward(x);
    CHECK(logits.sizes() == at::IntArrayRef({3, 3}));
    CHECK(at::allclose(logits, network.forward(x.clone().requires_grad_(true)).detach(), 1e-4, 1e-5));
    CHECK(network.features(x).sizes() == at::IntArrayRef({3, 4}));
}

TEST_CASE("gradients agree with finite differences", "[graph]") {
    Graph graph = small_network();  // in float64, for differences that are not lost in rounding
    for (auto& [name, tensor] : graph.initializers) {
        const auto values = to_floats(tensor);
        const std::vector<double> doubles(values.begin(), values.end());
        tensor.dtype = DType::float64;
        tensor.bytes.resize(doubles.size() * sizeof(double));
        std::memcpy(tensor.bytes.data(), doubles.data(), tensor.bytes.size());
    }
    Network network(graph);
    const at::Tensor x = to_torch(noise({2, 3, 8, 8}, 11)).to(at::kDouble);
    const at::Tensor direction = to_torch(noise({2, 3}, 12)).to(at::kDouble);
    const auto loss = [&] { return (network.forward(x) * direction).sum(); };
    REQUIRE(network.parameters().size() == 9);
    for (Parameter& parameter : network.parameters()) parameter.tensor.requires_grad_(true);
    loss().backward();
    for (Parameter& parameter : network.parameters()) {
        INFO(parameter.name);
        const at::Tensor gradient = parameter.tensor.grad();
        REQUIRE(gradient.defined());
        const at::NoGradGuard no_gradients;
        // Along one direction through all elements at once: (f(w + h d) - f(w - h d)) / 2h = gradient . d
        const at::Tensor step = to_torch(noise(parameter.tensor.sizes().vec(), 21)).to(at::kDouble) * 1e-5;
        parameter.tensor.add_(step);
        const double above = loss().item<double>();
        parameter.tensor.sub_(step, 2);
        const double below = loss().item<double>();
        parameter.tensor.add_(step);
        const double expected = (gradient * step).sum().item<double>();
        CHECK((above - below) / 2 == Approx(expected).epsilon(1e-6));
    }
}

TEST_CASE("a weight changed in place is seen by the packed inference", "[graph]") {
    Network network(small_network());
    const at::Tensor x = to_torch(noise({2, 3, 8, 8}, 11));
    const at::Tensor before = network.forward(x);
    for (Parameter& parameter : network.parameters()) parameter.tensor.mul_(0.5);
    const at::Tensor after = network.forward(x);
    const at::Tensor recorded = network.forward(x.clone().requires_grad_(true)).detach();
    CHECK_FALSE(at::allclose(before, after));
    CHECK(at::allclose(after, recorded, 1e-4, 1e-6));
}

TEST_CASE("features are what goes into the head, and can be trained on", "[graph]") {
    const Graph graph = small_network();
    Network network(graph);
    const at::Tensor x = to_torch(noise({2, 3, 8, 8}, 11));
    const at::Tensor features = network.features(x);
    CHECK(features.sizes() == at::IntArrayRef({2, 4}));
    const at::Tensor weight = to_torch(graph.initializers.at("w5")).requires_grad_(true);
    const at::Tensor logits = at::linear(features, weight, to_torch(graph.initializers.at("b5")));
    CHECK(at::allclose(logits.detach(), network.forward(x), 1e-4, 1e-6));
    logits.sum().backward();  // refused for tensors of inference mode
    CHECK(weight.grad().defined());
}

TEST_CASE("trained parameters go back into the graph and through a file", "[graph]") {
    Graph graph = small_network();
    Network network(graph);
    for (Parameter& parameter : network.parameters()) parameter.tensor.add_(0.1);
    network.store_parameters(graph);
    const Tensor input = noise({2, 3, 8, 8}, 11);
    const auto expected = to_vector(network.forward(to_torch(input)));
    CHECK(relative_difference(run_onnxruntime(graph, input).values, expected) < 1e-5);
    const std::string bytes = serialise_onnx(graph);
    Network again(parse_onnx(std::as_bytes(std::span(bytes)), "again"));
    CHECK(to_vector(again.forward(to_torch(input))) == expected);

    Graph other = make_graph({2, 3, 8, 8}, {}, {});
    CHECK_THAT(error_of([&] { network.store_parameters(other); }), Catch::Contains("test: has no initializer 'w1'"));
}

TEST_CASE("batch norms: scale and bias are parameters, statistics are buffers", "[graph]") {
    Network network(make_graph({1, 2, 3, 3}, {{"BatchNormalization", "", "", {"x", "s", "b", "m", "v"}, {"y"}, {}}},
                               {{"s", noise({2})}, {"b", noise({2})}, {"m", noise({2})}, {"v", floats({2}, {1, 2})}}));
    REQUIRE(network.parameters().size() == 2);
    CHECK(network.parameters()[0].name == "s");
    REQUIRE(network.buffers().size() == 2);
    CHECK(network.buffers()[1].name == "v");
}

TEST_CASE("one error names all unsupported operators", "[graph]") {
    Graph graph = make_graph({1, 2},
                             {{"Foo", "", "", {"x"}, {"a"}, {}},
                              {"Relu", "", "", {"a"}, {"b"}, {}},
                              {"Bar", "com.example", "", {"b"}, {"c"}, {}},
                              {"Foo", "", "", {"c"}, {"y"}, {}}},
                             {});
    graph.source = "model.onnx";
    CHECK(error_of([&] { Network network(graph); }) ==
          "model.onnx: 3 unsupported operators: Foo (2), com.example.Bar (1)");
    Graph old = make_graph({1, 2}, {{"HardSwish", "", "", {"x"}, {"y"}, {}}}, {}, 13);
    CHECK(error_of([&] { Network network(old); }) == "test: 1 unsupported operator: HardSwish of opset 13 (1)");
    // The internal operators are not for files.
    Graph internal = make_graph({1, 2}, {{"Silu", "ouaf", "", {"x"}, {"y"}, {}}}, {});
    CHECK(error_of([&] { Network network(internal); }) == "test: 1 unsupported operator: ouaf.Silu (1)");
}

TEST_CASE("inputs that do not fit are refused", "[graph]") {
    Network network(small_network());
    CHECK(error_of([&] {
              network.forward(at::zeros({3, 8, 8}));
          }) == "test: input 'x' needs 4 dimensions and was given 3");
    CHECK(error_of([&] {
              network.forward(at::zeros({2, 1, 8, 8}));
          }) == "test: input 'x' needs 3 along axis 1 and was given 1");
    Network small(make_graph({1, 2, 2, 2}, {{"Conv", "", "c", {"x", "w"}, {"y"}, {}}}, {{"w", noise({1, 2, 3, 3})}}));
    CHECK_THAT(error_of([&] { small.forward(at::zeros({1, 2, 2, 2})); }), Catch::StartsWith("test: ouaf.Conv 'c': "));
    Network headless(make_graph({1, 2}, {{"Relu", "", "", {"x"}, {"y"}, {}}}, {}));
    CHECK_THAT(error_of([&] { headless.features(at::zeros({1, 2})); }), Catch::Contains("no classification head"));
}
