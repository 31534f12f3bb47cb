// What is done to a network's head before training: fresh rows, dropout, several heads, the feature extractor.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "native/graph/canonicalise.hpp"
#include "native/graph/head.hpp"
#include "native/graph/head_rewrites.hpp"
#include "native/graph/network.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.detach().contiguous();
    const float* first = dense.const_data_ptr<float>();
    return {first, first + dense.numel()};
}

Graph with_classes(Graph graph, std::int64_t classes) {
    graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{2}, classes}};
    return graph;
}

Graph pooled_network(std::int64_t opset = 13) {
    std::vector<Node> nodes{
        {"Conv", "", "", {"x", "w1", "b1"}, {"c"}, {}},
        {"Relu", "", "", {"c"}, {"r"}, {}},
        {"GlobalAveragePool", "", "", {"r"}, {"p"}, {}},
        {"Flatten", "", "", {"p"}, {"f"}, {}},
        {"Gemm", "", "", {"f", "w2", "b2"}, {"z"}, {{"transB", std::int64_t{1}}}},
        {"Softmax", "", "", {"z"}, {"y"}, {}},
    };
    return with_classes(
        make_graph(
            {2, 3, 6, 6}, std::move(nodes),
            {{"w1", noise({4, 3, 3, 3}, 1)}, {"b1", noise({4}, 2)}, {"w2", noise({3, 4}, 3)}, {"b2", noise({3}, 4)}},
            opset),
        3);
}

// SqueezeNet's: dropout, a 1x1 convolution, the mean over the places.
Graph convolution_headed() {
    std::vector<Node> nodes{
        {"Conv", "", "", {"x", "w1"}, {"c"}, {}},        {"Dropout", "", "", {"c", "ratio"}, {"d"}, {}},
        {"Conv", "", "", {"d", "w2", "b2"}, {"z"}, {}},  {"Relu", "", "", {"z"}, {"r"}, {}},
        {"GlobalAveragePool", "", "", {"r"}, {"p"}, {}}, {"Flatten", "", "", {"p"}, {"y"}, {}},
    };
    return with_classes(make_graph({2, 3, 6, 6}, std::move(nodes),
                                   {{"w1", noise({4, 3, 3, 3}, 1)},
                                    {"w2", noise({5, 4, 1, 1}, 2)},
                                    {"b2", noise({5}, 3)},
                                    {"ratio", number(0.5f)}}),
                        5);
}

// As distilled transformers end: two heads, averaged.
Graph two_headed(bool same_features) {
    std::vector<Node> nodes{
        {"Relu", "", "", {"x"}, {"f"}, {}},
        {"Neg", "", "", {"x"}, {"g"}, {}},
        {"Gemm", "", "", {"f", "w1", "b1"}, {"a"}, {}},
        {"MatMul", "", "", {same_features ? "f" : "g", "w2"}, {"b"}, {}},
        {"Add", "", "", {"a", "b"}, {"sum"}, {}},
        {"Div", "", "", {"sum", "two"}, {"y"}, {}},
    };
    return with_classes(
        make_graph({2, 4}, std::move(nodes),
                   {{"w1", noise({4, 3}, 1)}, {"b1", noise({3}, 2)}, {"w2", noise({4, 3}, 3)}, {"two", number(2)}}),
        3);
}

std::size_t count_of(const Graph& graph, const std::string& op) {
    std::size_t count = 0;
    for (const Node& node : graph.nodes) count += node.op == op ? 1 : 0;
    return count;
}

}  // namespace

TEST_CASE("fresh rows are uniform within one over the root of the width", "[graph][head]") {
    const HeadRows rows = fresh_rows(120, 1280, 7);
    const double bound = 1 / std::sqrt(1280.0);
    double sum = 0;
    double squares = 0;
    for (const float value : rows.weight) {
        CHECK(std::abs(value) <= bound);
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const auto n = static_cast<double>(rows.weight.size());
    CHECK(n == 120 * 1280);
    CHECK(rows.bias.size() == 120);
    // Five standard deviations of the mean; the variance of a uniform number is bound^2 / 3.
    CHECK(std::abs(sum / n) < 5 * bound / std::sqrt(3 * n));
    CHECK(squares / n == Approx(bound * bound / 3).epsilon(0.02));
    CHECK(fresh_rows(120, 1280, 7).weight == rows.weight);
    CHECK(fresh_rows(120, 1280, 8).weight != rows.weight);
}

TEST_CASE("dropout is put before the head, changed and taken out", "[graph][head]") {
    const std::int64_t opset = GENERATE(11, 12, 13);
    const Graph plain = pooled_network(opset);
    const Tensor input = noise({2, 3, 6, 6}, 9);
    const auto expected = run_onnxruntime(plain, input).values;
    Graph graph = plain;
    insert_dropout(graph, 0.25f);
    REQUIRE(count_of(graph, "Dropout") == 1);
    CHECK(run_onnxruntime(graph, input).values == expected);
    const auto ratio = [&] {
        for (const Node& node : graph.nodes)
            if (node.op == "Dropout")
                return opset < 12 ? attribute_or(node, "ratio", 0.0f)
                                  : to_floats(graph.initializers.at(node.inputs.at(1)))[0];
        return -1.0f;
    };
    CHECK(ratio() == 0.25f);
    insert_dropout(graph, 0.5f);
    CHECK(count_of(graph, "Dropout") == 1);
    CHECK(ratio() == 0.5f);

    Network network(graph);
    network.mode.training = true;
    at::manual_seed(1);
    const at::Tensor x = to_torch(input);
    CHECK_FALSE(at::equal(network.forward(x), network.forward(x)));

    insert_dropout(graph, 0);
    CHECK(count_of(graph, "Dropout") == 0);
    CHECK(graph.initializers.size() == plain.initializers.size());
    CHECK(run_onnxruntime(graph, input).values == expected);
    CHECK_THAT(error_of([&] { insert_dropout(graph, 1); }), Catch::Contains("from 0 to below 1"));

    Graph squeeze = convolution_headed();
    insert_dropout(squeeze, 0.1f);  // the one that is there
    CHECK(count_of(squeeze, "Dropout") == 1);
}

TEST_CASE("the head is cut off for a feature extractor", "[graph][head]") {
    const Tensor input = noise({2, 3, 6, 6}, 9);
    Graph graph = pooled_network();
    Network whole(graph);
    insert_dropout(graph, 0.25f);
    const Graph extractor = cut_head(graph);
    CHECK(count_of(extractor, "Dropout") == 0);
    CHECK(extractor.initializers.size() == 2);
    CHECK((extractor.outputs[0].dims == std::vector<Dim>{std::int64_t{2}, std::int64_t{4}}));
    const auto reference = run_onnxruntime(extractor, input);
    CHECK(reference.dims == Dims{2, 4});
    CHECK(relative_difference(to_vector(whole.features(to_torch(input))), reference.values) < 1e-5);

    const Graph pooled = cut_head(convolution_headed());
    const auto mean = run_onnxruntime(pooled, input);
    CHECK(mean.dims == Dims{2, 4});
    Network convolution(convolution_headed());
    CHECK(relative_difference(to_vector(convolution.features(to_torch(input)).mean({2, 3})), mean.values) < 1e-5);
}

TEST_CASE("two averaged heads are both replaced", "[graph][head]") {
    const Tensor input = noise({2, 4}, 9);
    const HeadRows rows = fresh_rows(7, 4, 1);
    const at::Tensor x = to_torch(input);
    const at::Tensor weight = to_torch(floats({7, 4}, rows.weight));
    const at::Tensor bias = to_torch(floats({7}, rows.bias));

    Graph graph = two_headed(true);
    const HeadRows old = head_rows(graph);  // of features that both heads share: the average
    const at::Tensor logits =
        at::linear(x.relu(), to_torch(floats({3, 4}, old.weight)), to_torch(floats({3}, old.bias)));
    CHECK(relative_difference(to_vector(logits), run_onnxruntime(graph, input).values) < 1e-6);
    replace_head(graph, rows);
    CHECK(relative_difference(run_onnxruntime(graph, input).values, to_vector(at::linear(x.relu(), weight, bias))) <
          1e-6);

    graph = two_headed(false);
    CHECK(error_of([&] { head_rows(graph); }) ==
          "test: averages 2 heads, 'w1' and 'w2', where one is needed; export the network without its other heads");
    CHECK_THROWS(cut_head(graph));
    replace_head(graph, rows);
    const at::Tensor expected = (at::linear(x.relu(), weight, bias) + at::linear(-x, weight, bias)) / 2;
    CHECK(relative_difference(run_onnxruntime(graph, input).values, to_vector(expected)) < 1e-6);
    insert_dropout(graph, 0.5f);
    CHECK(count_of(graph, "Dropout") == 2);

    // A residual sum is no average.
    Graph residual = two_headed(false);
    residual.nodes.pop_back();
    residual.nodes.back().outputs = {"y"};
    CHECK_THAT(error_of([&] { find_heads(residual); }), Catch::Contains("branches at Add"));
}
