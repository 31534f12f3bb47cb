// Weights rounded against data: between the nearest integers and the best ones there are.
#include "native/graph/rounding.hpp"

#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <ranges>

#include "native/graph/canonicalise.hpp"
#include "native/graph/export.hpp"
#include "native/graph/quantise.hpp"
#include "native/graph/sensitivity.hpp"
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

// What the stored network's answers cost beyond the original's own: the mean Kullback-Leibler divergence.
double divergence(const Graph& original, const Graph& stored, const at::Tensor& images) {
    double sum = 0;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
        const Tensor image = from_torch(images.narrow(0, i, 1));
        const at::Tensor wanted = at::tensor(run_onnxruntime(original, image).values, at::kDouble).log_softmax(0);
        const at::Tensor given = at::tensor(run_onnxruntime(stored, image).values, at::kDouble).log_softmax(0);
        sum += (wanted.exp() * (wanted - given)).sum().item<double>();
    }
    return sum / static_cast<double>(images.size(0));
}

}  // namespace

TEST_CASE("Where inputs know nothing of each other, each weight is rounded to the nearest", "[graph]") {
    at::manual_seed(1);
    const at::Tensor rows = at::randn({2, 5, 7}) * 20;
    const at::Tensor covariance = at::diag_embed(at::rand({2, 7}, at::kDouble) + 0.1);
    CHECK(at::equal(round_columns(rows, at::ones({2, 5}), covariance), rows.to(at::kDouble).round()));
    CHECK(at::equal(round_columns(rows * 100, at::ones({2, 5}), covariance),
                    (rows * 100).to(at::kDouble).round().clamp(-127, 127)));
}

TEST_CASE("Where they go up and down together, rounding comes near the best integers", "[graph]") {
    at::manual_seed(2);
    constexpr std::int64_t width = 4;
    const at::Tensor inputs = at::randn({500, 1}, at::kDouble) + 0.3 * at::randn({500, width}, at::kDouble);
    const at::Tensor covariance = at::matmul(inputs.t(), inputs) / 500;
    const at::Tensor rows = at::randn({30, width}) * 10;
    const at::Tensor rounded = round_columns(rows.unsqueeze(0), at::ones({1, 30}), covariance.unsqueeze(0))[0];
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
    const at::Tensor rounded = round_columns(rows.unsqueeze(0), at::ones({1, 20}), covariance.unsqueeze(0))[0];
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

TEST_CASE("A channel's sensitivity is what the cross-entropy's formula says", "[graph]") {
    // Of logits that the weight gives at once, the Fisher information's diagonal is p (1 - p).
    constexpr std::int64_t images = 4000;
    const Graph graph =
        make_graph({1, 6}, {{"MatMul", "", "multiply", {"x", "w"}, {"y"}, {}}}, {{"w", noise({6, 4}, 1)}});
    at::manual_seed(5);
    const at::Tensor x = at::randn({images, 6});
    Graph any_batch = graph;
    any_batch.inputs[0].dims[0] = std::string("batch");
    const at::Tensor given = channel_sensitivities(any_batch, graph.nodes, x)[0];
    const at::Tensor shares = at::matmul(x, to_torch(graph.initializers.at("w"))).softmax(1).to(at::kDouble);
    const at::Tensor wanted = (shares * (1 - shares)).mean(0);
    // One class is drawn an image: the squares' deviation is below 1/2, of the mean of 4,000 below 0.008; four of
    // these.
    CHECK((given - wanted).abs().max().item<double>() < 0.032);
    CHECK(wanted.min().item<double>() > 0.05);
}

TEST_CASE("Weights of fewer bits: the entropy asked for, shared out by what errors cost", "[graph]") {
    constexpr double bits = 4;
    Graph original = network();
    Tensor& last = original.initializers.at("mw");
    last = from_torch(to_torch(last) * 0.02);  // answers that doubt: logits of some units apart
    const std::vector<std::string> names{"cw", "dw", "gw", "mw"};
    const auto integers = [&](const Graph& graph, const std::string& name) {
        return to_torch(graph.initializers.at(name + ".int8")).flatten().to(at::kLong);
    };
    // Shannon's, of each weight's integers by themselves.
    const auto mean_entropy = [&](const Graph& graph) {
        double sum = 0;
        double count = 0;
        for (const std::string& name : names) {
            const at::Tensor values = integers(graph, name);
            for (const std::int64_t value : std::views::iota(-127, 128)) {
                const double times = (values == value).sum().item<double>();
                if (times > 0) sum -= times * std::log2(times / static_cast<double>(values.numel()));
            }
            count += static_cast<double>(values.numel());
        }
        return sum / count;
    };
    const Graph rounded = export_rounded(original, photos(200), bits);
    // Rounding to the nearest is what bits were counted by; against data integers spread a little more.
    CHECK(mean_entropy(rounded) == Approx(bits).margin(0.1));

    // To the nearest, every weight with a step that is the same share of its largest number.
    const auto evenly = [&](double share) {
        Graph graph = original;
        for (const std::string& name : names) {
            const at::Tensor weight = to_torch(graph.initializers.at(name));
            const at::Tensor step = weight.abs().max() * share;
            graph.initializers.at(name) = from_torch(((weight / step).round() * step).contiguous());
        }
        return export_graph(graph, {.weights = WeightStorage::int8}).graph;
    };
    double share = 0.01;
    while (mean_entropy(evenly(share)) > bits) share *= 1.02;
    const at::Tensor others = photos(220).narrow(0, 200, 20);
    // 0.009 is what it comes to here.
    CHECK(divergence(original, rounded, others) < 0.05 * divergence(original, evenly(share), others));

    Graph again = rounded;
    canonicalise(again);
    quantise_weights(again);
    for (const std::string& name : names) CHECK(at::equal(integers(again, name), integers(rounded, name)));
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
