// Weights rounded against data: between the nearest integers and the best ones there are.
#include "native/graph/rounding.hpp"

#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/graph/canonicalise.hpp"
#include "native/graph/export.hpp"
#include "native/graph/quantise.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

// What the rounding of rows [rows, width] does to the layer's answers: the mean square over its inputs.
double damage(const at::Tensor& rows, const at::Tensor& integers, const at::Tensor& covariance) {
    const at::Tensor error = rows.to(at::kDouble) - integers;
    return at::matmul(at::matmul(error, covariance), error.t()).trace().item<double>();
}

// The integers of least damage, of all that lie within one and a half of the weights: each row is tried by itself.
double least_damage(const at::Tensor& rows, const at::Tensor& covariance) {
    double sum = 0;
    const std::int64_t width = rows.size(1);
    for (std::int64_t row = 0; row < rows.size(0); ++row) {
        double least = 1e300;
        const at::Tensor base = rows[row].to(at::kDouble).floor();
        for (int code = 0; code < 1 << (2 * width); ++code) {
            at::Tensor integers = base.clone();
            for (std::int64_t j = 0; j < width; ++j) integers[j] += (code >> (2 * j) & 3) - 1;
            least = std::min(least, damage(rows[row].unsqueeze(0), integers.unsqueeze(0), covariance));
        }
        sum += least;
    }
    return sum;
}

// Channels that go up and down together, as those of photos do.
at::Tensor photos(std::int64_t count) {
    at::manual_seed(4);
    const at::Tensor common = at::randn({count, 1, 12, 12});
    return (common + 0.3 * at::randn({count, 16, 12, 12}) + 0.5).contiguous();
}

Graph network() {
    Node depthwise{"Conv", "", "", {"a", "dw", "db"}, {"b"}, {}};
    depthwise.attributes["group"] = std::int64_t{16};
    depthwise.attributes["auto_pad"] = std::string("SAME_UPPER");
    depthwise.attributes["strides"] = std::vector<std::int64_t>{2, 2};
    Graph graph = make_graph({1, 16, 12, 12},
                             {{"Conv", "", "", {"x", "cw", "cb"}, {"c"}, {}},
                              {"Relu", "", "", {"c"}, {"a"}, {}},
                              depthwise,
                              {"GlobalAveragePool", "", "", {"b"}, {"p"}, {}},
                              {"Flatten", "", "", {"p"}, {"f"}, {}},
                              {"Gemm", "", "", {"f", "gw", "gb"}, {"g"}, {}},
                              {"MatMul", "", "", {"g", "mw"}, {"y"}, {}}},
                             {{"cw", noise({16, 16, 3, 3}, 1)},
                              {"cb", noise({16}, 2)},
                              {"dw", noise({16, 1, 3, 3}, 3)},
                              {"db", noise({16}, 4)},
                              {"gw", noise({16, 8}, 5)},
                              {"gb", noise({8}, 6)},
                              {"mw", noise({8, 5}, 7)}},
                             17);
    graph.inputs[0].dims[0] = std::string("batch");
    graph.outputs[0] = {"y", DType::float32, true, {std::string("batch"), std::int64_t{5}}};
    return graph;
}

double error_against(const Graph& original, const Graph& stored, const at::Tensor& images) {
    double sum = 0;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
        const Tensor image = from_torch(images.narrow(0, i, 1));
        const auto wanted = run_onnxruntime(original, image).values;
        const auto given = run_onnxruntime(stored, image).values;
        for (std::size_t c = 0; c < wanted.size(); ++c) sum += (wanted[c] - given[c]) * (wanted[c] - given[c]);
    }
    return sum;
}

}  // namespace

TEST_CASE("Where inputs know nothing of each other, each weight is rounded to the nearest", "[graph]") {
    at::manual_seed(1);
    const at::Tensor rows = at::randn({2, 5, 7}) * 20;
    const at::Tensor covariance = at::diag_embed(at::rand({2, 7}, at::kDouble) + 0.1);
    CHECK(at::equal(round_columns(rows, at::ones({2, 5}), covariance, 127), rows.to(at::kDouble).round()));
    CHECK(at::equal(round_columns(rows * 100, at::ones({2, 5}), covariance, 127),
                    (rows * 100).to(at::kDouble).round().clamp(-127, 127)));
}

TEST_CASE("Where they go up and down together, rounding comes near the best integers", "[graph]") {
    at::manual_seed(2);
    constexpr std::int64_t width = 4;
    const at::Tensor inputs = at::randn({500, 1}, at::kDouble) + 0.3 * at::randn({500, width}, at::kDouble);
    const at::Tensor covariance = at::matmul(inputs.t(), inputs) / 500;
    const at::Tensor rows = at::randn({30, width}) * 10;
    const at::Tensor rounded = round_columns(rows.unsqueeze(0), at::ones({1, 30}), covariance.unsqueeze(0), 127)[0];
    const double nearest = damage(rows, rows.to(at::kDouble).round(), covariance);
    const double ours = damage(rows, rounded, covariance);
    const double best = least_damage(rows, covariance);
    CHECK(best <= ours);
    CHECK(ours < best + 0.1 * (nearest - best));  // 0.02 is what it comes to here
}

TEST_CASE("Rounding follows its definition, column by column, across blocks", "[graph]") {
    at::manual_seed(3);
    constexpr std::int64_t width = 150;
    const at::Tensor inputs = at::randn({600, 1}, at::kDouble) + at::randn({600, width}, at::kDouble);
    // Variances fall from column to column, so that they are taken in their order.
    const at::Tensor falling = at::diag_embed(at::arange(width, 0, -1, at::kDouble) * 0.1);
    const at::Tensor covariance = at::matmul(inputs.t(), inputs) / 600 * 0.01 + falling;
    const at::Tensor rows = at::randn({20, width}) * 5;
    // Each error is taken back by the columns left, as the inverse of what is left of the matrix says: GPTQ's
    // equation 2.
    const at::Tensor damped = covariance + 0.01 * covariance.diagonal().mean() * at::eye(width, at::kDouble);
    at::Tensor left = rows.to(at::kDouble).clone();
    for (std::int64_t j = 0; j < width; ++j) {
        const at::Tensor inverse = damped.slice(0, j).slice(1, j).inverse();
        const at::Tensor error = left.select(1, j) - left.select(1, j).round();
        left.select(1, j).round_();
        if (j + 1 < width) left.slice(1, j + 1).sub_(at::outer(error / inverse[0][0], inverse[0].slice(0, 1)));
    }
    const at::Tensor rounded = round_columns(rows.unsqueeze(0), at::ones({1, 20}), covariance.unsqueeze(0), 127)[0];
    CHECK(at::equal(rounded, left));
}

TEST_CASE("A whole network rounded against data does less harm than one rounded to the nearest", "[graph]") {
    const Graph original = network();
    const Graph nearest = export_graph(original, {.weights = WeightStorage::int8}).graph;
    const Graph rounded = export_rounded(original, photos(200));
    for (const std::string name : {"cw", "dw", "gw", "mw"})
        CHECK(rounded.initializers.at(name + ".int8").dtype == DType::int8);
    const at::Tensor others = photos(220).narrow(0, 200, 20);
    // 0.18 is what it comes to here.
    CHECK(error_against(original, rounded, others) < 0.5 * error_against(original, nearest, others));
}

TEST_CASE("Weights of fewer bits: rows of many weights take fewer integers, rounded against data all the same",
          "[graph]") {
    const Graph original = network();
    const Graph nearest = export_graph(original, {.weights = WeightStorage::int8, .bits = 5}).graph;
    const Graph rounded = export_rounded(original, photos(200), 5);
    const auto top = [](const Graph& graph, const std::string& name) {
        return to_torch(graph.initializers.at(name + ".int8")).abs().max().item<int>();
    };
    for (const Graph& graph : {nearest, rounded}) {
        CHECK(top(graph, "cw") == 15);   // rows of 144
        CHECK(top(graph, "dw") == 127);  // of 9
    }
    const at::Tensor others = photos(220).narrow(0, 200, 20);
    CHECK(error_against(original, rounded, others) < 0.5 * error_against(original, nearest, others));
    Graph again = rounded;
    canonicalise(again);
    quantise_weights(again, 5);
    for (const std::string name : {"cw", "dw", "gw", "mw"})
        CHECK((again.initializers.at(name + ".int8").bytes == rounded.initializers.at(name + ".int8").bytes));
}

TEST_CASE("Weights on the grid stay where they are", "[graph]") {
    Graph graph = network();
    round_weights(graph, photos(50));
    Graph again = graph;
    round_weights(again, photos(50));
    for (const std::string name : {"cw", "dw", "gw", "mw"}) {
        const at::Tensor before = to_torch(graph.initializers.at(name));
        CHECK(at::allclose(before, to_torch(again.initializers.at(name)), 1e-5, 1e-7));
    }
    Graph stored = graph;
    quantise_weights(stored);
    for (const std::string name : {"cw", "dw", "gw", "mw"}) CHECK(stored.initializers.contains(name + ".int8"));
}
