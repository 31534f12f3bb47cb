// Graphs that are valid ONNX and ask for too much: refused while they are small, in time that grows with the file
// alone. Files that once crashed are in tests/fuzz/corpus.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <limits>
#include <numeric>

#include "native/graph/canonicalise.hpp"
#include "native/graph/memory_limit.hpp"
#include "native/graph/network.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;
using Catch::Contains;

namespace {

using Ints = std::vector<std::int64_t>;

std::string run_error(Graph graph, const at::Tensor& input) {
    return error_of([&] { Network(std::move(graph)).forward(input); });
}

}  // namespace

TEST_CASE("a tensor larger than the limit is refused, and limits nest", "[graph]") {
    const MemoryLimit outer(1 << 20);
    CHECK_NOTHROW(at::zeros({1 << 18}));
    CHECK_THROWS_WITH(at::zeros({(1 << 18) + 1}), Contains("the most here is 1048576"));
    {
        const MemoryLimit inner(std::int64_t{1} << 40);
        CHECK(MemoryLimit::bytes() == 1 << 20);
    }
    {
        const MemoryLimit inner(16);
        CHECK_THROWS(at::zeros({5}));
    }
    CHECK_NOTHROW(at::zeros({5}));
}

TEST_CASE("sums, convolutions and pads of terabytes are refused", "[graph]") {
    const at::Tensor image = at::zeros({1, 1, 8, 8});
    Graph sum = make_graph(
        {1 << 20}, {{"Unsqueeze", "", "", {"x", "axis"}, {"column"}, {}}, {"Add", "", "", {"x", "column"}, {"y"}, {}}},
        {{"axis", integers({1})}});
    CHECK_THAT(run_error(sum, at::zeros({1 << 20})), Contains("test: Add 'y': asks for a tensor of"));
    const Node padded{"Conv", "", "", {"x", "w"}, {"y"}, {{"pads", Ints(4, 1 << 20)}}};
    CHECK(run_error(make_graph({1, 1, 8, 8}, {padded}, {{"w", noise({1, 1, 3, 3})}}), image) != "");
    const Node reshape{"Reshape", "", "", {"x", "s"}, {"y"}, {}};
    const std::int64_t half = std::int64_t{1} << 32;  // half * half is 0 in 64 bits
    CHECK_THAT(run_error(make_graph({1, 1, 8, 8}, {reshape}, {{"s", integers({half, half, 64})}}), image),
               Contains("more than 2^40 elements"));
}

TEST_CASE("integers are divided as in C, the smallest one by -1 too", "[graph]") {
    constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
    Graph graph = make_graph({5}, {{"Div", "", "", {"x", "d"}, {"y"}, {}}}, {{"d", integers({-1, -1, 2, -3, 5})}});
    graph.inputs[0].dtype = DType::int64;
    const at::Tensor y = Network(graph).forward(at::tensor(Ints{smallest, 7, -7, 10, 4}));
    CHECK(y.equal(at::tensor(Ints{smallest, -7, -3, -3, 0})));  // its negative does not fit and wraps
    graph.initializers["d"] = integers({1, 1, 1, 1, 0});
    CHECK_THAT(run_error(graph, at::ones({5}, at::kLong)), Contains("ZeroDivisionError"));
}

TEST_CASE("an LSTM whose weights do not fit its states is refused", "[graph]") {
    const auto error = [](const Dims& bias) {
        const Node lstm{"LSTM", "", "", {"x", "w", "r", "b"}, {"y"}, {}};
        return run_error(
            make_graph({5, 2, 3}, {lstm}, {{"w", noise({1, 16, 3})}, {"r", noise({1, 16, 4})}, {"b", noise(bias)}}, 14),
            at::ones({5, 2, 3}));
    };
    for (const Dims& bias : {Dims{1, 1}, Dims{1, 31}, Dims{2, 32}, Dims{32}})
        CHECK(error(bias) == "test: LSTM 'y': the bias has other sizes than its gates, directions and states");
}

TEST_CASE("a million axes are refused", "[graph]") {
    Ints axes(1'000'000);
    std::iota(axes.begin(), axes.end(), 0);
    const Node node{"Unsqueeze", "", "", {"x", "axes"}, {"y"}, {}};
    CHECK(run_error(make_graph({2}, {node}, {{"axes", integers(axes)}}), at::ones({2})) ==
          "test: Unsqueeze 'y': asks for 1000001 axes; at most 64 are supported");
}

TEST_CASE("a window wider than all channels of LRN sums them all", "[graph]") {
    const Node node{"LRN", "", "", {"x"}, {"y"}, {{"size", std::int64_t{1} << 20}, {"alpha", 1e5f}}};
    const at::Tensor x = at::arange(1, 13, at::kFloat).reshape({1, 3, 2, 2});
    const at::Tensor y = Network(make_graph({1, 3, 2, 2}, {node}, {})).forward(x);
    const at::Tensor expected = x / at::pow(1 + 1e5 / (1 << 20) * (x * x).sum(1, true), 0.75);
    CHECK(at::allclose(y, expected, 1e-5));  // sums of three float32 squares in another order
}

TEST_CASE("a hundred thousand identities go in one pass", "[graph]") {
    std::vector<Node> nodes{{"Relu", "", "", {"x"}, {"v0"}, {}}};
    constexpr int count = 100'000;  // quadratic, this would be minutes
    for (int i = 0; i < count; ++i)
        nodes.push_back({"Identity", "", "", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}, {}});
    nodes.back().outputs = {"y"};
    Graph graph = make_graph({2}, nodes, {});
    canonicalise(graph);
    REQUIRE(graph.nodes.size() == 1);
    CHECK(graph.nodes[0].outputs == std::vector<std::string>{"y"});
}

TEST_CASE("two outputs that copy one value, and a copy of a copy", "[graph]") {
    Graph graph = make_graph({2},
                             {{"Relu", "", "", {"x"}, {"a"}, {}},
                              {"Identity", "", "", {"a"}, {"b"}, {}},
                              {"Identity", "", "", {"b"}, {"y"}, {}},
                              {"Identity", "", "", {"a"}, {"z"}, {}},
                              {"Neg", "", "", {"b"}, {"n"}, {}}},
                             {});
    graph.outputs.push_back({"z", DType::float32, false, {}});
    graph.outputs.push_back({"n", DType::float32, false, {}});
    canonicalise(graph);
    REQUIRE(graph.nodes.size() == 3);  // Relu -> y, Identity y -> z, Neg y -> n
    const at::Tensor x = at::tensor({-1.0f, 2.0f});
    const auto outputs = Network(graph).forward(std::vector<at::Tensor>{x});
    CHECK(outputs[0].equal(at::relu(x)));
    CHECK(outputs[1].equal(at::relu(x)));
    CHECK(outputs[2].equal(-at::relu(x)));
}

TEST_CASE("one int8 weight is not unpacked a thousand times over", "[graph]") {
    Tensor weight{DType::int8, {1 << 18}, std::vector<std::byte>(1 << 18)};
    const auto graph = [&](int times) {
        std::vector<Node> nodes;
        Node sum{"Sum", "", "", {"x"}, {"y"}, {}};
        for (int i = 0; i < times; ++i) {
            nodes.push_back({"DequantizeLinear", "", "", {"w", "s"}, {"f" + std::to_string(i)}, {}});
            sum.inputs.push_back(nodes.back().outputs[0]);
        }
        nodes.push_back(sum);
        return make_graph({1}, nodes, {{"w", weight}, {"s", number(1)}});
    };
    Graph few = graph(3);
    CHECK_NOTHROW(canonicalise(few));
    Graph many = graph(1000);
    CHECK_THAT(error_of([&] { canonicalise(many); }), Contains("unpacks the same weights too often"));
}
