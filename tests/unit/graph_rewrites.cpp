// Rewriting the graph: the canonical form, the head, int8 weights.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "native/graph/canonicalise.hpp"
#include "native/graph/head.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/quantise.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

std::vector<float> values(const Graph& graph, const std::string& name) {
    const auto view = graph.initializers.at(name).values<float>();
    return {view.begin(), view.end()};
}

Graph dequantise_graph(const Tensor& weight, const Tensor& scale, std::map<std::string, Attribute> attributes,
                       std::map<std::string, Tensor> zero_point = {}) {
    Node node{"DequantizeLinear", "", "", {"q", "s"}, {"w"}, std::move(attributes)};
    if (!zero_point.empty()) node.inputs.push_back("z");
    zero_point.insert({{"q", weight}, {"s", scale}});
    return make_graph({1, 2}, {node, {"MatMul", "", "", {"x", "w"}, {"y"}, {}}}, std::move(zero_point));
}

Tensor int8s(const Dims& dims, const std::vector<std::int8_t>& integers) {
    return make_tensor(dims, std::span<const std::int8_t>(integers));
}

Graph head_graph(const Node& head, std::map<std::string, Tensor> constants) {
    Graph graph = make_graph({2, 4}, {{"Relu", "", "", {"x"}, {"f"}, {}}, head}, std::move(constants));
    graph.outputs[0] = {"y", DType::float32, true, {std::string("batch"), std::int64_t{3}}};
    return graph;
}

const HeadRows two_rows{2, 4, {1, 2, 3, 4, 5, 6, 7, 8}, {0.5f, -1}};

// relu(x) * rows + bias, by hand.
std::vector<float> expected_logits(const Tensor& x) {
    std::vector<float> logits;
    for (std::size_t n = 0; n < 2; ++n)
        for (std::size_t c = 0; c < 2; ++c) {
            float sum = two_rows.bias[c];
            for (std::size_t i = 0; i < 4; ++i)
                sum += std::max(0.0f, x.values<float>()[n * 4 + i]) * two_rows.weight[c * 4 + i];
            logits.push_back(sum);
        }
    return logits;
}

}  // namespace

TEST_CASE("DequantizeLinear of constants becomes a float weight", "[graph]") {
    Graph per_tensor = dequantise_graph(int8s({2, 2}, {-128, 0, 2, 127}), number(0.5f), {});
    canonicalise(per_tensor);
    CHECK(per_tensor.nodes.size() == 1);
    CHECK(per_tensor.initializers.size() == 1);
    CHECK(values(per_tensor, "w") == std::vector<float>{-64, 0, 1, 63.5f});

    Graph rows = dequantise_graph(int8s({2, 2}, {1, 2, 3, 4}), floats({2}, {2, 10}), {{"axis", std::int64_t{0}}});
    canonicalise(rows);
    CHECK(values(rows, "w") == std::vector<float>{2, 4, 30, 40});

    Graph columns = dequantise_graph(int8s({2, 2}, {1, 2, 3, 4}), floats({2}, {2, 10}), {{"axis", std::int64_t{-1}}},
                                     {{"z", int8s({2}, {1, -1})}});
    canonicalise(columns);
    CHECK(values(columns, "w") == std::vector<float>{0, 30, 4, 50});

    Graph wrong = dequantise_graph(int8s({2, 2}, {1, 2, 3, 4}), floats({3}, {1, 2, 3}), {{"axis", std::int64_t{0}}});
    CHECK_THAT(error_of([&] { canonicalise(wrong); }),
               Catch::Contains("test: DequantizeLinear 'w' has 3 scales, which do not fit its weight"));
}

TEST_CASE("constants and identities disappear, names of outputs stay", "[graph]") {
    Graph graph = make_graph({2},
                             {{"Constant", "", "", {}, {"c"}, {{"value_float", 3.0f}}},
                              {"Identity", "", "", {"c"}, {"c2"}, {}},
                              {"Identity", "", "", {"x"}, {"x2"}, {}},
                              {"Add", "", "", {"x2", "c2"}, {"a"}, {}},
                              {"Identity", "", "", {"a"}, {"y"}, {}}},
                             {{"unread", number(1)}});
    canonicalise(graph);
    REQUIRE(graph.nodes.size() == 1);
    CHECK(graph.nodes[0].inputs == std::vector<std::string>{"x", "c"});
    CHECK(graph.nodes[0].outputs == std::vector<std::string>{"y"});
    CHECK(graph.initializers.size() == 1);
    CHECK(values(graph, "c") == std::vector<float>{3});

    Graph direct = make_graph({2}, {{"Identity", "", "", {"x"}, {"y"}, {}}}, {});
    canonicalise(direct);
    CHECK(direct.nodes.size() == 1);
}

// The reference is the C library's erfc and expm1 in double precision.
TEST_CASE("TensorFlow's Erfc and Expm1 are spelled out in ONNX's operators", "[graph]") {
    const Tensor x = floats({6}, {-3, -0.5f, 0, 0.25f, 1, 2.5f});
    for (const std::string op : {"Erfc", "Expm1"}) {
        Graph graph = make_graph({6}, {{op, "", "f", {"x"}, {"y"}, {}}}, {});
        graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{6}}};
        canonicalise(graph);
        std::vector<float> expected;
        for (const float each : x.values<float>()) {
            const double value = each;
            expected.push_back(static_cast<float>(op == "Erfc" ? std::erfc(value) : std::expm1(value)));
        }
        // A few roundings of float32 around values near 1.
        CHECK(relative_difference(run_onnxruntime(graph, x).values, expected) < 1e-6);
    }
}

TEST_CASE("inputs that nothing reads disappear", "[graph]") {
    Graph graph = make_graph({2}, {{"Relu", "", "", {"x"}, {"y"}, {}}}, {});
    graph.inputs.push_back({"normalization/mean", DType::float32, true, {std::int64_t{3}}});
    canonicalise(graph);
    REQUIRE(graph.inputs.size() == 1);
    CHECK(graph.inputs[0].name == "x");
}

TEST_CASE("the head is found by data flow and replaced in its own layout", "[graph]") {
    const Tensor x = noise({2, 4}, 3);
    const std::map<std::string, Tensor> rows{{"w", noise({3, 4})}, {"b", noise({3})}};
    const std::map<std::string, Tensor> columns{{"w", noise({4, 3})}, {"b", noise({3})}};
    std::vector<Graph> graphs{
        head_graph({"Gemm", "", "", {"f", "w", "b"}, {"y"}, {{"transB", std::int64_t{1}}, {"alpha", 2.0f}}}, rows),
        head_graph({"Gemm", "", "", {"f", "w", "b"}, {"y"}, {}}, columns),
        head_graph({"Gemm", "", "", {"f", "w"}, {"y"}, {}}, {{"w", noise({4, 3})}}),
        head_graph({"MatMul", "", "", {"f", "w"}, {"y"}, {}}, {{"w", noise({4, 3})}}),
    };
    Graph with_add = head_graph({"MatMul", "", "", {"f", "w"}, {"m"}, {}}, columns);
    with_add.nodes.push_back({"Add", "", "", {"b", "m"}, {"y"}, {}});
    graphs.push_back(with_add);
    Graph reshaped = head_graph({"Gemm", "", "", {"f", "w", "b"}, {"g"}, {}}, columns);
    reshaped.nodes.push_back({"Reshape", "", "", {"g", "shape"}, {"y"}, {}});
    reshaped.initializers["shape"] = integers({-1, 3});
    graphs.push_back(reshaped);
    for (Graph& graph : graphs) {
        INFO(graph.nodes[1].op << " with " << graph.nodes[1].inputs.size() << " inputs");
        const Head head = find_head(graph);
        CHECK(head.features == "f");
        CHECK(head.classes == 3);
        CHECK(head.width == 4);
        replace_head(graph, two_rows);
        const HeadRows again = head_rows(graph);
        CHECK(again.weight == two_rows.weight);
        CHECK(again.bias == two_rows.bias);
        CHECK(std::get<std::int64_t>(graph.outputs[0].dims[1]) == 2);
        CHECK(relative_difference(run_onnxruntime(graph, x).values, expected_logits(x)) < 1e-6);
    }
}

TEST_CASE("a 1x1 convolution before the pool is a head too", "[graph]") {
    Graph graph = make_graph({1, 4, 3, 3},
                             {{"Conv", "", "", {"x", "w", "b"}, {"c"}, {}},
                              {"GlobalAveragePool", "", "", {"c"}, {"p"}, {}},
                              {"Flatten", "", "", {"p"}, {"y"}, {}}},
                             {{"w", noise({3, 4, 1, 1})}, {"b", noise({3})}});
    graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{1}, std::int64_t{3}}};
    CHECK(find_head(graph).features == "x");
    replace_head(graph, two_rows);
    CHECK(graph.initializers.at("w").dims == Dims{2, 4, 1, 1});
    CHECK(run_onnxruntime(graph, noise({1, 4, 3, 3})).dims == Dims{1, 2});
}

TEST_CASE("without a head, or with rows that do not fit, the error says so", "[graph]") {
    Graph graph = head_graph({"Gemm", "", "", {"f", "w"}, {"y"}, {}}, {{"w", noise({4, 3})}});
    CHECK(error_of([&] {
              replace_head(graph, {2, 5, std::vector<float>(10), {0, 0}});
          }) == "test: the new head has 5 features a class, the network gives 4");
    CHECK_THAT(error_of([&] {
                   replace_head(graph, {2, 4, std::vector<float>(7), {0, 0}});
               }),
               Catch::Contains("does not have the size its classes and width say"));
    CHECK_THAT(error_of([] {
                   find_head(make_graph({2}, {{"Relu", "", "", {"x"}, {"y"}, {}}}, {}));
               }),
               Catch::StartsWith("test: no classification head before output 'y'"));
    CHECK_THAT(error_of([] {
                   find_head(make_graph(
                       {2}, {{"Relu", "", "", {"x"}, {"a"}, {}}, {"Add", "", "sum", {"a", "x"}, {"y"}, {}}}, {}));
               }),
               Catch::Contains("branches at Add 'sum'"));
}

TEST_CASE("the scale of int8 weights has the least squared error", "[graph]") {
    const auto error = [](const std::vector<float>& list, float scale) {
        double sum = 0;
        for (const float value : list) sum += std::pow(value - scale * to_int8(value, scale), 2);
        return sum;
    };
    CHECK(to_int8(1.49f, 1) == 1);
    CHECK(to_int8(2.5f, 1) == 2);  // half to even
    CHECK(to_int8(-1e9f, 1) == -127);
    CHECK(best_scale(std::vector<float>{0, 0}) == 1);
    // Values on a grid give the grid back, also where 127 steps are not used.
    const std::vector<float> grid{0.03f * 5, 0.03f * -101, 0.03f * 44, 0.03f};
    CHECK(best_scale(grid) == Approx(0.03).epsilon(1e-6));
    const std::vector<float> coarse{0.07f * 5, 0.07f * -3, 0.07f * 2, 0};
    CHECK(best_scale(coarse) == Approx(0.07).epsilon(1e-6));
    // One outlier among many small values: clipping it beats max / 127.
    const Tensor cloud = noise({4096}, 9);
    std::vector<float> values(cloud.values<float>().begin(), cloud.values<float>().end());
    for (float& value : values) value = value * value * value;
    values[0] = 1.2f;
    const float scale = best_scale(values);
    CHECK(error(values, scale) < 0.97 * error(values, 1.2f / 127));
    for (const float factor : {0.8f, 0.9f, 0.97f, 1.03f, 1.1f, 1.3f})
        CHECK(error(values, scale) <= error(values, scale * factor));
}

TEST_CASE("int8 weights: standard ONNX, close to float, and the same when quantised again", "[graph]") {
    Graph graph = make_graph({2, 3, 6, 6},
                             {{"Conv", "", "", {"x", "cw", "cb"}, {"c"}, {}},
                              {"GlobalAveragePool", "", "", {"c"}, {"p"}, {}},
                              {"Flatten", "", "", {"p"}, {"f"}, {}},
                              {"Gemm", "", "", {"f", "gw", "gb"}, {"g"}, {}},
                              {"MatMul", "", "", {"g", "mw"}, {"y"}, {}}},
                             {{"cw", noise({8, 3, 3, 3}, 1)},
                              {"cb", noise({8}, 2)},
                              {"gw", noise({8, 5}, 3)},
                              {"gb", noise({5}, 4)},
                              {"mw", noise({5, 4}, 5)}});
    graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{2}, std::int64_t{4}}};
    const Graph original = graph;
    const Tensor x = noise({2, 3, 6, 6}, 6);
    quantise_weights(graph);
    CHECK(graph.initializers.at("cw.int8").dtype == DType::int8);
    CHECK(graph.initializers.at("cw.scale").dims == Dims{8});
    CHECK(graph.initializers.at("gw.scale").dims == Dims{5});
    CHECK(graph.initializers.at("mw.scale").dims == Dims{4});
    CHECK(graph.initializers.at("cb").dtype == DType::float32);
    const auto stored = run_onnxruntime(graph, x).values;
    CHECK(relative_difference(stored, run_onnxruntime(original, x).values) < 0.02);

    const std::string file = serialise_onnx(graph);
    Graph folded = parse_onnx(std::as_bytes(std::span(file)), "folded");
    canonicalise(folded);
    CHECK(folded.nodes.size() == original.nodes.size());
    CHECK(relative_difference(run_onnxruntime(folded, x).values, stored) < 1e-6);
    for (const std::string name : {"cw", "gw", "mw"})
        CHECK(relative_difference(values(folded, name), values(original, name)) <
              1.0 / 127);  // half a step, or the clipped top

    Graph twice = folded;
    quantise_weights(twice);
    for (const std::string name : {"cw", "gw", "mw"}) {
        CHECK(twice.initializers.at(name + ".int8").bytes == graph.initializers.at(name + ".int8").bytes);
        CHECK(relative_difference(values(twice, name + ".scale"), values(graph, name + ".scale")) < 1e-6);
    }
    Graph old = make_graph({1, 2}, {}, {}, 11);
    CHECK_THAT(error_of([&] { quantise_weights(old); }), Catch::Contains("opset 13"));
}
