// What import does beyond reading: constants folded, several inputs and outputs, what is refused as unsupported.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/graph/canonicalise.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/network.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

// Reshape(x, [Shape(x)[0], -1]) as exporters write it, with x [batch, 2, 3].
Graph reshaping_graph(const Dim& batch) {
    Graph graph = make_graph({1, 2, 3},
                             {{"Shape", "", "", {"x"}, {"sizes"}, {}},
                              {"Gather", "", "", {"sizes", "zero"}, {"n"}, {}},
                              {"Concat", "", "", {"n", "rest"}, {"shape"}, {{"axis", std::int64_t{0}}}},
                              {"Reshape", "", "", {"x", "shape"}, {"y"}, {}}},
                             {{"zero", integers({0})}, {"rest", integers({-1})}});
    graph.inputs[0].dims[0] = batch;
    return graph;
}

}  // namespace

TEST_CASE("chains that compute a shape are folded where the sizes are known", "[graph]") {
    Graph known = reshaping_graph(std::int64_t{4});
    canonicalise(known);
    fold_constants(known);
    REQUIRE(known.nodes.size() == 1);
    CHECK(known.nodes[0].op == "Reshape");
    CHECK(to_int64s(known.initializers.at("shape")) == Ints{4, -1});
    CHECK(known.initializers.size() == 1);  // what only the chain read is gone

    Graph open = reshaping_graph(std::string("batch"));
    canonicalise(open);
    fold_constants(open);
    CHECK(open.nodes.size() == 4);
    CHECK(Network(open).forward(at::zeros({5, 2, 3})).sizes() == at::IntArrayRef({5, 6}));
}

TEST_CASE("weights are not folded: they stay parameters under their own names", "[graph]") {
    Graph graph = make_graph({2, 3},
                             {{"Transpose", "", "", {"w"}, {"wt"}, {}},
                              {"Cast", "", "", {"one"}, {"c"}, {{"to", std::int64_t{1}}}},
                              {"MatMul", "", "", {"x", "wt"}, {"p"}, {}},
                              {"Add", "", "", {"p", "c"}, {"y"}, {}}},
                             {{"w", noise({4, 3})}, {"one", integers({1})}});
    canonicalise(graph);
    fold_constants(graph);
    CHECK(graph.nodes.size() == 3);
    Network network(graph);
    REQUIRE(network.parameters().size() >= 1);
    CHECK(network.parameters()[0].name == "w");
}

TEST_CASE("a folded result that would be huge stays a node", "[graph]") {
    Graph graph = make_graph({1},
                             {{"ConstantOfShape", "", "", {"sizes"}, {"big"}, {}},
                              {"ReduceSum", "", "", {"big"}, {"s"}, {}},
                              {"Add", "", "", {"x", "s"}, {"y"}, {}}},
                             {{"sizes", integers({1 << 20, 1 << 19})}});
    Network network(graph);
    CHECK_THAT(error_of([&] { network.forward(at::zeros({1})); }),
               Catch::Contains("asks for more than 134217728 elements"));
}

TEST_CASE("several inputs and outputs, scalars and integers", "[graph]") {
    Graph graph =
        make_graph({2, 3}, {{"Add", "", "", {"x", "s"}, {"y"}, {}}, {"Gather", "", "", {"x", "i"}, {"z"}, {}}}, {});
    graph.inputs.push_back({"s", DType::float32, true, {}});
    graph.inputs.push_back({"i", DType::int64, true, {std::int64_t{2}}});
    graph.outputs.push_back({"z", DType::float32, false, {}});
    graph.outputs.push_back({"i", DType::int64, false, {}});
    Network network(graph);
    const at::Tensor x = at::arange(6, at::kFloat).reshape({2, 3});
    const auto outputs = network.forward({x, at::scalar_tensor(10.0f), at::tensor({-1L, 0L})});
    REQUIRE(outputs.size() == 3);
    CHECK(outputs[0].equal(x + 10));
    CHECK(outputs[1].equal(x.flip({0})));
    CHECK(outputs[2].equal(at::tensor({-1L, 0L})));
    CHECK(error_of([&] { network.forward(x); }) == "test: has 3 inputs and was given 1; an image classifier has one");
}

TEST_CASE("what cannot be run is told apart from what is broken", "[graph]") {
    CHECK_THROWS_AS(Network(make_graph({2}, {{"QuantizeLinear", "", "", {"x", "s"}, {"y"}, {}}}, {{"s", number(1)}})),
                    Unsupported);
    CHECK_THROWS_AS(Network(make_graph({2}, {{"Cast", "", "", {"x"}, {"y"}, {{"to", std::int64_t{8}}}}}, {})),
                    Unsupported);
}

TEST_CASE("a list of tensors that is only taken apart again becomes slices", "[graph]") {
    const std::vector<std::int64_t> numbers{0, 1, 2};
    const auto scalar = [&](std::size_t i) { return make_tensor({}, std::span<const std::int64_t>(&numbers[i], 1)); };
    const std::map<std::string, Tensor> constants{
        {"zero", scalar(0)}, {"one", scalar(1)}, {"two", scalar(2)}, {"parts", integers({1, 3, 2})}};
    const auto graph_of = [&](const std::vector<std::string>& split, std::map<std::string, Attribute> attributes) {
        Graph graph = make_graph({4, 6},
                                 {{"SplitToSequence", "", "", split, {"list"}, std::move(attributes)},
                                  {"SequenceAt", "", "", {"list", "one"}, {"a"}, {}},
                                  {"SequenceAt", "", "", {"list", "zero"}, {"b"}, {}},
                                  {"ReduceSum", "", "", {"b"}, {"s"}, {}},
                                  {"Add", "", "", {"a", "s"}, {"y"}, {}}},
                                 constants);
        graph.outputs[0].has_shape = true;
        graph.outputs[0].dims = {std::string("rows"), std::string("columns")};
        return graph;
    };
    const std::int64_t columns = 1;
    for (const Graph& graph :
         {graph_of({"x", "parts"}, {{"axis", columns}}), graph_of({"x", "two"}, {}),
          graph_of({"x"}, {{"axis", columns}, {"keepdims", std::int64_t{0}}}), graph_of({"x"}, {{"axis", columns}})}) {
        const Tensor input = noise({4, 6}, 5);
        const auto reference = run_onnxruntime(graph, input);
        at::Tensor x = at::empty({4, 6});
        std::memcpy(x.data_ptr(), input.bytes.data(), input.bytes.size());
        const at::Tensor y = Network(graph).forward(x).contiguous();
        CHECK(y.sizes() == at::IntArrayRef(reference.dims));
        CHECK(relative_difference({y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel()},
                                  reference.values) < 1e-6);
    }
}
