// A network in training: batch norms, dropout, what is frozen, bfloat16, checkpoints.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <catch2/catch.hpp>
#include <memory>

#include "native/graph/checkpoint.hpp"
#include "native/graph/freeze.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.detach().to(at::kFloat).contiguous();
    const float* first = dense.const_data_ptr<float>();
    return {first, first + dense.numel()};
}

double difference(const at::Tensor& a, const at::Tensor& b) { return relative_difference(to_vector(a), to_vector(b)); }

constexpr float momentum = 0.8f;
constexpr float epsilon = 1e-3f;

Graph batch_norm(const Dims& input, std::vector<Node> after = {}) {
    std::vector<Node> nodes{{"BatchNormalization",
                             "",
                             "",
                             {"x", "s", "b", "m", "v"},
                             {"y"},
                             {{"momentum", momentum}, {"epsilon", epsilon}}}};
    nodes.insert(nodes.end(), after.begin(), after.end());
    return make_graph(input, std::move(nodes),
                      {{"s", noise({3}, 1)}, {"b", noise({3}, 2)}, {"m", noise({3}, 3)}, {"v", floats({3}, {1, 2, 3})}},
                      15);
}

// Residual blocks of convolution, batch norm and ReLU, with a dropout before the head.
Graph residual_network(int blocks, std::int64_t size = 8) {
    std::vector<Node> nodes;
    std::map<std::string, Tensor> constants{{"ratio", number(0.3f)}, {"gain", number(0.5f)}};
    std::uint32_t seed = 10;
    const auto convolution = [&](const std::string& name, const std::string& x, std::int64_t channels,
                                 const std::string& y) {
        constants[name + ".weight"] = noise({4, channels, 3, 3}, ++seed);
        constants[name + ".scale"] = floats({4}, {0.9f, 1.0f, 1.1f, 1.2f});
        constants[name + ".bias"] = noise({4}, ++seed);
        constants[name + ".mean"] = noise({4}, ++seed);
        constants[name + ".variance"] = floats({4}, {1, 2, 3, 4});
        nodes.push_back({"Conv", "", "", {x, name + ".weight"}, {name}, {{"pads", Ints{1, 1, 1, 1}}}});
        nodes.push_back({"BatchNormalization",
                         "",
                         "",
                         {name, name + ".scale", name + ".bias", name + ".mean", name + ".variance"},
                         {name + ".normal"},
                         {}});
        nodes.push_back({"Relu", "", "", {name + ".normal"}, {y}, {}});
    };
    convolution("stem", "x", 3, "r0");
    for (int i = 0; i < blocks; ++i) {
        const std::string name = "block" + std::to_string(i);
        const std::string from = "r" + std::to_string(i);
        convolution(name + ".a", from, 4, name + ".h");
        convolution(name + ".b", name + ".h", 4, name + ".o");
        nodes.push_back({"Mul", "", "", {name + ".o", "gain"}, {name + ".g"}, {}});
        nodes.push_back({"Add", "", "", {name + ".g", from}, {"r" + std::to_string(i + 1)}, {}});
    }
    nodes.push_back({"GlobalAveragePool", "", "", {"r" + std::to_string(blocks)}, {"p"}, {}});
    nodes.push_back({"Flatten", "", "", {"p"}, {"f"}, {}});
    nodes.push_back({"Dropout", "", "", {"f", "ratio"}, {"d"}, {}});
    constants["head.weight"] = noise({5, 4}, 3);
    constants["head.bias"] = noise({5}, 4);
    nodes.push_back({"Gemm", "", "", {"d", "head.weight", "head.bias"}, {"y"}, {{"transB", std::int64_t{1}}}});
    return make_graph({6, 3, size, size}, std::move(nodes), std::move(constants));
}

at::Tensor loss_of(Network& network, const at::Tensor& x) {
    const at::Tensor classes = at::arange(x.size(0), at::kLong).remainder(5);
    return at::cross_entropy_loss(network.forward(x), classes);
}

struct Outcome {
    double loss = 0;
    std::map<std::string, at::Tensor> gradients;
    std::map<std::string, at::Tensor> statistics;
};

Outcome one_step(Network& network, const at::Tensor& x) {
    for (Parameter& parameter : network.parameters()) parameter.tensor.mutable_grad().reset();
    at::manual_seed(5);
    const at::Tensor loss = loss_of(network, x);
    loss.backward();
    Outcome step{loss.item<double>(), {}, {}};
    for (const Parameter& parameter : network.parameters())
        if (parameter.tensor.grad().defined()) step.gradients[parameter.name] = parameter.tensor.grad().clone();
    for (const Parameter& buffer : network.buffers()) step.statistics[buffer.name] = buffer.tensor.clone();
    return step;
}

// Bytes that this thread's tensors hold, as LibTorch's allocator reports them to a profiler.
struct MemoryMeter : c10::MemoryReportingInfoBase {
    std::int64_t now = 0;
    std::int64_t peak = 0;
    void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
        now += size;
        peak = std::max(peak, now);
    }
    bool memoryProfilingEnabled() const override { return true; }
};

}  // namespace

TEST_CASE("a batch norm in training follows the formula in float64", "[graph][training]") {
    const bool flat = GENERATE(false, true);
    const Tensor input = flat ? noise({5, 3}, 7) : noise({4, 3, 5, 6}, 7);
    const Graph graph = batch_norm(input.dims);
    Network network(graph);
    unfreeze(network, "*");
    network.mode.training = true;
    const at::Tensor x = to_torch(input);
    const at::Tensor y = network.forward(x);

    const std::vector<std::int64_t> axes = flat ? std::vector<std::int64_t>{0} : std::vector<std::int64_t>{0, 2, 3};
    const at::Tensor wide = x.to(at::kDouble);
    const auto column = [&](const at::Tensor& each) {
        return each.to(at::kDouble)
            .reshape(flat ? std::vector<std::int64_t>{1, 3} : std::vector<std::int64_t>{1, 3, 1, 1});
    };
    const auto constant = [&](const char* name) { return to_torch(graph.initializers.at(name)); };
    const at::Tensor mean = wide.mean(axes);
    const at::Tensor variance = (wide - column(mean)).square().mean(axes);
    const at::Tensor expected =
        (wide - column(mean)) / (column(variance) + epsilon).sqrt() * column(constant("s")) + column(constant("b"));
    CHECK(difference(y, expected) < 1e-5);  // some float32 roundings of numbers near 1
    CHECK(difference(network.parameter("m"), constant("m") * momentum + mean * (1 - momentum)) < 1e-6);
    CHECK(difference(network.parameter("v"), constant("v") * momentum + variance * (1 - momentum)) < 1e-6);

    network.mode.training = false;
    const auto moved = to_vector(network.parameter("v"));
    network.forward(x);
    CHECK(to_vector(network.parameter("v")) == moved);
}

TEST_CASE("running statistics move as in ONNX Runtime", "[graph][training]") {
    const Tensor input = noise({4, 3, 5, 6}, 7);
    Graph reference = batch_norm(input.dims);
    reference.nodes[0].attributes["training_mode"] = std::int64_t{1};
    reference.nodes[0].outputs = {"y", "m2", "v2"};
    reference.outputs[0] = reference.inputs[0];
    reference.outputs[0].name = "y";
    for (const char* name : {"m2", "v2"}) reference.outputs.push_back({name, DType::float32, true, {std::int64_t{3}}});
    const std::string bytes = serialise_onnx(reference);
    Network network(batch_norm(input.dims));
    unfreeze(network, "*");
    network.mode.training = true;
    const at::Tensor y = network.forward(to_torch(input));
    CHECK(relative_difference(to_vector(y), run_onnxruntime(bytes, "x", "y", input).values) < 1e-5);
    CHECK(relative_difference(to_vector(network.parameter("m")), run_onnxruntime(bytes, "x", "m2", input).values) <
          1e-6);
    CHECK(relative_difference(to_vector(network.parameter("v")), run_onnxruntime(bytes, "x", "v2", input).values) <
          1e-6);
}

TEST_CASE("a frozen batch norm keeps its statistics and uses them", "[graph][training]") {
    Network network(batch_norm({4, 3, 5, 6}));
    const at::Tensor x = to_torch(noise({4, 3, 5, 6}, 7));
    const auto before = to_vector(network.forward(x));
    unfreeze(network, "*");
    freeze(network, "s");
    network.mode.training = true;
    CHECK(difference(network.forward(x), at::from_blob(const_cast<float*>(before.data()), x.sizes())) < 1e-6);
    CHECK(to_vector(network.parameter("v")) == std::vector<float>{1, 2, 3});
    unfreeze(network, "s");
    const at::NoGradGuard no_gradients;  // statistics move without gradients too
    network.forward(x);
    CHECK(to_vector(network.parameter("v")) != std::vector<float>{1, 2, 3});
}

TEST_CASE("gradients go through statistics that are computed", "[graph][training]") {
    const Tensor input = noise({4, 3, 5, 6}, 7);
    const Graph graph = batch_norm(input.dims);
    Network network(graph);
    const auto expected = to_vector(network.forward(to_torch(input)));
    unfreeze(network, "*");
    const at::Tensor mean = network.parameter("m").requires_grad_(true);
    const at::Tensor y = network.forward(to_torch(input));
    CHECK(relative_difference(to_vector(y), expected) < 1e-6);
    y.sum().backward();  // d y / d mean = -scale / sqrt(variance + epsilon), at 120 places a channel
    const auto constant = [&](const char* name) { return to_torch(graph.initializers.at(name)); };
    CHECK(difference(mean.grad(), -120 * constant("s") / (constant("v") + epsilon).sqrt()) < 1e-5);
}

TEST_CASE("momentum 1 of an evaluation export is taken as 0.9", "[graph][training]") {
    Graph graph = batch_norm({4, 3, 5, 6});
    graph.nodes[0].attributes["momentum"] = 1.0f;
    Graph usual = graph;
    usual.nodes[0].attributes["momentum"] = 0.9f;
    std::vector<std::vector<float>> means;
    for (const Graph& each : {graph, usual}) {
        Network network(each);
        unfreeze(network, "*");
        network.mode.training = true;
        network.forward(to_torch(noise({4, 3, 5, 6}, 7)));
        means.push_back(to_vector(network.parameter("m")));
    }
    CHECK(means[0] != to_vector(to_torch(graph.initializers.at("m"))));
    CHECK(relative_difference(means[0], means[1]) < 1e-6);
}

TEST_CASE("dropout drops its ratio in training and nothing in evaluation", "[graph][training]") {
    const std::int64_t opset = GENERATE(11, 13);
    Graph graph = make_graph({1, 100000}, {{"Dropout", "", "", {"x"}, {"y"}, {}}}, {}, opset);
    if (opset < 12) {
        graph.nodes[0].attributes["ratio"] = 0.2f;
    } else {
        graph.nodes[0].inputs.push_back("ratio");
        graph.initializers["ratio"] = number(0.2f);
    }
    Network network(graph);
    const at::Tensor x = at::ones({1, 100000}).requires_grad_(true);
    CHECK(at::equal(network.forward(x), x));
    network.mode.training = true;
    at::manual_seed(3);
    const at::Tensor y = network.forward(x);
    const double dropped = (y == 0).to(at::kDouble).mean().item<double>();
    CHECK(dropped == Approx(0.2).margin(0.0064));  // five standard deviations: sqrt(0.2 * 0.8 / 100000) = 0.00126
    CHECK(at::allclose(y.masked_select(y != 0), at::full({1}, 1.25f)));
    y.sum().backward();
    CHECK(at::equal(x.grad(), y.detach()));  // of ones: the factor itself
}

TEST_CASE("blocks lie between residual sums, and the last ones can be trained alone", "[graph][training]") {
    Network network(residual_network(2));
    std::map<std::string, int> blocks;
    for (const Parameter& parameter : network.parameters()) blocks[parameter.name] = parameter.block;
    CHECK(blocks.size() == 17);
    CHECK(blocks.at("stem.weight") == 0);
    CHECK(blocks.at("stem.scale") == 0);  // a batch norm belongs to its convolution
    CHECK(blocks.at("block0.a.weight") == 1);
    CHECK(blocks.at("block0.b.bias") == 1);
    CHECK(blocks.at("block1.a.weight") == 2);
    CHECK(blocks.at("head.weight") == 3);
    CHECK(network.buffers()[0].block == 0);

    const auto trained = [&] {
        std::size_t count = 0;
        for (const Parameter& parameter : network.parameters()) count += parameter.tensor.requires_grad() ? 1 : 0;
        return count;
    };
    train_last(network, 0);
    CHECK(trained() == 2);
    train_last(network, 1);
    CHECK(trained() == 8);
    network.mode.training = true;
    const at::Tensor x = to_torch(noise({6, 3, 8, 8}, 1));
    const auto stem = to_vector(network.parameter("stem.mean"));
    const auto last = to_vector(network.parameter("block1.b.mean"));
    loss_of(network, x).backward();
    CHECK_FALSE(network.parameter("block0.b.weight").grad().defined());
    CHECK(network.parameter("block1.a.weight").grad().defined());
    CHECK(to_vector(network.parameter("stem.mean")) == stem);
    CHECK(to_vector(network.parameter("block1.b.mean")) != last);
    train_last(network, 100);
    CHECK(trained() == 17);
    CHECK(error_of([&] { train_last(network, -1); }) ==
          "parameters: the last -1 blocks can't be trained; give 0 for the head alone, or more");
}

TEST_CASE("sizes that are read from the data part nothing, weights may be computed", "[graph][training]") {
    // The second weight is twice a parameter; Flatten is spelt with the input's own size.
    std::vector<Node> nodes{
        {"Shape", "", "", {"x"}, {"size"}, {}},
        {"Gather", "", "", {"size", "zero"}, {"n"}, {}},
        {"Conv", "", "", {"x", "w1"}, {"a"}, {}},
        {"Add", "", "", {"w2", "w2"}, {"w2.twice"}, {}},
        {"Conv", "", "", {"a", "w2.twice"}, {"b"}, {}},
        {"Concat", "", "", {"n", "rest"}, {"shape"}, {{"axis", std::int64_t{0}}}},
        {"Reshape", "", "", {"b", "shape"}, {"f"}, {}},
        {"Gemm", "", "", {"f", "w3"}, {"y"}, {}},
    };
    Graph graph = make_graph({2, 3, 2, 2}, nodes,
                             {{"w1", noise({3, 3, 1, 1})},
                              {"w2", noise({3, 3, 1, 1})},
                              {"w3", noise({12, 2})},
                              {"zero", integers({0})},
                              {"rest", integers({-1})}});
    graph.inputs[0].dims[0] = std::string("batch");
    Network network(graph);
    std::map<std::string, int> blocks;
    for (const Parameter& parameter : network.parameters()) blocks[parameter.name] = parameter.block;
    CHECK(blocks == std::map<std::string, int>{{"w1", 0}, {"w2", 1}, {"w3", 2}});
}

TEST_CASE("parameters are frozen by pattern", "[graph][training]") {
    Network network(residual_network(1));
    unfreeze(network, "*");
    freeze(network, "block?.a.*");
    for (const Parameter& parameter : network.parameters())
        CHECK(parameter.tensor.requires_grad() == !parameter.name.starts_with("block0.a."));
    CHECK(error_of([&] { freeze(network, "heads.*"); }) ==
          "parameters: none matches 'heads.*'; there are head.weight, head.bias, stem.weight and 8 more");
}

TEST_CASE("a single number is a parameter where it is a weight, or on request", "[graph][training]") {
    Graph graph = residual_network(1);
    Network network(graph);
    const auto listed = [&] {
        const auto all = network.parameters();
        return std::any_of(all.begin(), all.end(), [](const Parameter& each) { return each.name == "gain"; });
    };
    CHECK_FALSE(listed());
    network.parameter("gain").requires_grad_(true);
    CHECK(listed());
    loss_of(network, to_torch(noise({6, 3, 8, 8}, 1))).backward();
    CHECK(network.parameter("gain").grad().item<float>() != 0);
    {
        const at::NoGradGuard no_gradients;
        network.parameter("gain").fill_(2);
    }
    network.store_parameters(graph);
    CHECK(to_floats(graph.initializers.at("gain"))[0] == 2);
    CHECK(error_of([&] { network.parameter("gian"); }) ==
          "test: no floating constant 'gian' is read; give the name of one of its initializers");

    // One class: its bias is one number, and no setting.
    Network one(make_graph({2, 3}, {{"MatMul", "", "", {"x", "w"}, {"p"}, {}}, {"Add", "", "", {"p", "b"}, {"y"}, {}}},
                           {{"w", noise({3, 1})}, {"b", noise({1})}}));
    CHECK(one.parameters().size() == 2);
}

TEST_CASE("autocast computes convolutions and products in bfloat16", "[graph][training]") {
    const Tensor input = noise({2, 3, 6, 6}, 1);
    const Tensor weight = noise({4, 3, 3, 3}, 2);
    Network one(make_graph(input.dims, {{"Conv", "", "", {"x", "w"}, {"y"}, {}}}, {{"w", weight}}));
    const at::Tensor exact = one.forward(to_torch(input));
    one.mode.autocast = at::kBFloat16;
    const at::Tensor narrow = at::conv2d(to_torch(input).to(at::kBFloat16), to_torch(weight).to(at::kBFloat16));
    const at::Tensor y = one.forward(to_torch(input));
    CHECK(y.scalar_type() == at::kFloat);
    CHECK_FALSE(at::equal(y, exact));
    CHECK(at::equal(y, y.to(at::kBFloat16).to(at::kFloat)));
    CHECK(difference(y, narrow) < 1.0 / 256);  // one unit in the last place: another order of sums may round otherwise

    Network network(residual_network(1));
    unfreeze(network, "*");
    freeze(network, "*scale");  // statistics of few values would enlarge what rounding does
    const at::Tensor x = to_torch(noise({6, 3, 8, 8}, 1));
    const Outcome reference = one_step(network, x);
    network.mode.autocast = at::kBFloat16;
    const Outcome step = one_step(network, x);
    // 8 bits of mantissa: a rounding is 2^-9 of each factor, some ten times on the way forth and back, and a few ReLUs
    // change sides; a gradient of mixed signs loses more than the loss does.
    CHECK(step.loss == Approx(reference.loss).epsilon(0.02));
    CHECK(step.loss != reference.loss);
    for (const auto& [name, gradient] : step.gradients) {
        INFO(name);
        CHECK(gradient.scalar_type() == at::kFloat);
        const at::Tensor& expected = reference.gradients.at(name);
        CHECK((gradient - expected).norm().item<double>() < 0.1 * expected.norm().item<double>());
    }
    const at::NoGradGuard no_gradients;
    CHECK(network.forward(x).scalar_type() == at::kFloat);
    network.mode.checkpoints = true;
    CHECK(difference(network.forward(x), network.forward(x)) == 0);
}

TEST_CASE("checkpoints change neither gradients nor statistics", "[graph][training]") {
    const bool bfloat16 = GENERATE(false, true);
    const bool last_only = GENERATE(false, true);
    const at::Tensor x = to_torch(noise({6, 3, 8, 8}, 1));
    std::vector<Outcome> steps;
    std::vector<std::vector<float>> draws;
    for (const bool checkpoints : {false, true}) {
        Network network(residual_network(6));
        unfreeze(network, "*");
        if (last_only) train_last(network, 2);
        network.mode = {.training = true,
                        .autocast = bfloat16 ? std::optional(at::kBFloat16) : std::nullopt,
                        .checkpoints = checkpoints};
        one_step(network, x);
        steps.push_back(one_step(network, x));
        draws.push_back(to_vector(at::rand({4})));  // the generator stands where it would
    }
    CHECK(steps[0].loss == steps[1].loss);
    CHECK(steps[0].gradients.size() == (last_only ? 14 : 41));
    CHECK(steps[1].gradients.size() == steps[0].gradients.size());
    for (const auto& [name, gradient] : steps[0].gradients) {
        INFO(name);
        CHECK(at::equal(gradient, steps[1].gradients.at(name)));
    }
    for (const auto& [name, values] : steps[0].statistics) CHECK(at::equal(values, steps[1].statistics.at(name)));
    CHECK(draws[0] == draws[1]);
}

TEST_CASE("checkpoints lower the peak of memory", "[graph][training]") {
    const at::Tensor x = to_torch(noise({6, 3, 32, 32}, 1));
    std::vector<std::int64_t> peaks;
    for (const bool checkpoints : {false, true}) {
        Network network(residual_network(12, 32));
        unfreeze(network, "*");
        network.mode = {.training = true, .checkpoints = checkpoints};
        const auto meter = std::make_shared<MemoryMeter>();
        const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
        loss_of(network, x).backward();
        peaks.push_back(meter->peak);
    }
    INFO(peaks[0] << " and " << peaks[1] << " bytes");
    CHECK(peaks[1] * 5 < peaks[0] * 2);  // about 100 steps in 10 segments
}

TEST_CASE("a backward pass through checkpoints may outlive the network", "[graph][training]") {
    at::Tensor weight;
    at::Tensor loss;
    {
        Network network(residual_network(4));
        unfreeze(network, "*");
        network.mode = {.training = true, .checkpoints = true};
        loss = loss_of(network, to_torch(noise({6, 3, 8, 8}, 1)));
        weight = network.parameter("stem.weight");
    }
    loss.backward();
    CHECK(weight.grad().defined());
}
