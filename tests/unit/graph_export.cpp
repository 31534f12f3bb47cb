// Export: the written graph computes what the trained one does, in every storage, and comes back trainable.
// Reference: ONNX Runtime on the graph before the rewriting.
#include <catch2/catch.hpp>
#include <cmath>

#include "native/graph/batch_norm.hpp"
#include "native/graph/builders/builders.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/export.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/half_precision.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/opset.hpp"
#include "native/graph/shape_inference.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

int count_of(const Graph& graph, const std::string& op) {
    int count = 0;
    for (const Node& node : graph.nodes) count += node.op == op;
    return count;
}

Tensor positive(const Dims& dims, std::uint32_t seed) {
    Tensor tensor = noise(dims, seed);
    for (float& value : tensor.values<float>()) value = std::abs(value) + 0.1f;
    return tensor;
}

// scale, bias, mean and variance of `channels` under `name`.0 to .3, and the node.
Node batch_norm(std::map<std::string, Tensor>& constants, const std::string& name, const std::string& x,
                const std::string& y, std::int64_t channels) {
    Node node{"BatchNormalization", "", name, {x}, {y}, {{"epsilon", 1e-3f}}};
    for (std::uint32_t i = 0; i < 4; ++i) {
        node.inputs.push_back(name + "." + std::to_string(i));
        constants[node.inputs.back()] = i == 3 ? positive({channels}, 40 + i) : noise({channels}, 40 + i);
    }
    return node;
}

// Builders' batch norms start at the identity: trained ones have statistics of their own.
void give_statistics(Graph& graph) {
    std::uint32_t seed = 1;
    for (const Node& node : graph.nodes)
        if (node.op == "BatchNormalization")
            for (std::size_t i = 1; i < 5; ++i) {
                Tensor& tensor = graph.initializers.at(node.inputs[i]);
                tensor = i == 1 || i == 4 ? positive(tensor.dims, ++seed) : noise(tensor.dims, ++seed);
            }
}

std::vector<float> by_network(const Graph& graph, const Tensor& x) {
    Network network(graph);
    const at::Tensor y = network.forward(to_torch(x)).contiguous();
    return {y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel()};
}

Graph again(const Graph& graph) {
    const std::string bytes = serialise_onnx(graph);
    Graph read = parse_onnx(std::as_bytes(std::span(bytes)), "again");
    canonicalise(read);
    return read;
}

std::size_t bytes_of_weights(const Graph& graph) {
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : graph.initializers) bytes += tensor.bytes.size();
    return bytes;
}

}  // namespace

TEST_CASE("batch norms fold into every kind of layer before them", "[graph]") {
    struct Case {
        std::string what;
        Dims input;
        std::vector<Node> layer;  // from x to v
        std::map<std::string, Tensor> constants;
        std::int64_t channels;
    };
    const Attribute two = std::int64_t{2};
    const Attribute one = std::int64_t{1};
    const std::vector<Case> cases{
        {"Conv",
         {2, 3, 5, 5},
         {{"Conv", "", "", {"x", "w", "b"}, {"v"}, {}}},
         {{"w", noise({4, 3, 3, 3}, 1)}, {"b", noise({4}, 2)}},
         4},
        {"Conv without bias",
         {2, 3, 5, 5},
         {{"Conv", "", "", {"x", "w"}, {"v"}, {}}},
         {{"w", noise({4, 3, 3, 3}, 1)}},
         4},
        {"depthwise",
         {2, 4, 5, 5},
         {{"Conv", "", "", {"x", "w"}, {"v"}, {{"group", std::int64_t{4}}}}},
         {{"w", noise({4, 1, 3, 3}, 1)}},
         4},
        {"Conv in one dimension",
         {2, 3, 7},
         {{"Conv", "", "", {"x", "w"}, {"v"}, {}}},
         {{"w", noise({4, 3, 3}, 1)}},
         4},
        {"ConvTranspose",
         {2, 4, 5, 5},
         {{"ConvTranspose", "", "", {"x", "w"}, {"v"}, {{"group", two}}}},
         {{"w", noise({4, 3, 2, 2}, 1)}},
         6},
        {"Gemm",
         {2, 3},
         {{"Gemm", "", "", {"x", "w", "b"}, {"v"}, {{"alpha", 0.5f}, {"beta", 2.0f}}}},
         {{"w", noise({3, 4}, 1)}, {"b", noise({1, 4}, 2)}},
         4},
        {"Gemm transposed",
         {2, 3},
         {{"Gemm", "", "", {"x", "w", "b"}, {"v"}, {{"transB", one}}}},
         {{"w", noise({4, 3}, 1)}, {"b", number(0.5f)}},
         4},
        {"MatMul", {2, 3}, {{"MatMul", "", "", {"x", "w"}, {"v"}, {}}}, {{"w", noise({3, 4}, 1)}}, 4},
        {"MatMul and Add",
         {2, 3},
         {{"MatMul", "", "", {"x", "w"}, {"m"}, {}}, {"Add", "", "", {"b", "m"}, {"v"}, {}}},
         {{"w", noise({3, 4}, 1)}, {"b", noise({4}, 2)}},
         4},
    };
    for (const Case& each : cases) {
        INFO(each.what);
        auto constants = each.constants;
        auto nodes = each.layer;
        nodes.push_back(batch_norm(constants, "bn", "v", "n", each.channels));
        nodes.push_back({"Relu", "", "", {"n"}, {"y"}, {}});
        Graph graph = make_graph(each.input, nodes, constants);
        declare_outputs(graph);
        canonicalise(graph);
        const Tensor x = noise(each.input, 9);
        const auto expected = run_onnxruntime(graph, x).values;
        const FoldedBatchNorms folded = fold_batch_norms(graph);
        CHECK(folded.folded == 1);
        CHECK(folded.kept == 0);
        CHECK(count_of(graph, "BatchNormalization") == 0);
        // Each weight was rounded once more: a few units of 2^-24.
        CHECK(relative_difference(run_onnxruntime(graph, x).values, expected) < 2e-6);
    }
}

TEST_CASE("batch norms that nothing can take in are kept", "[graph]") {
    std::map<std::string, Tensor> constants{{"w", noise({4, 3, 1, 1}, 1)}};
    const auto kept = [](std::vector<Node> nodes, const Dims& input, const std::map<std::string, Tensor>& all) {
        Graph graph = make_graph(input, std::move(nodes), all);
        declare_outputs(graph);
        canonicalise(graph);
        const Tensor x = noise(input, 3);
        const auto expected = run_onnxruntime(graph, x).values;
        const int count = fold_batch_norms(graph).kept;
        CHECK(relative_difference(run_onnxruntime(graph, x).values, expected) == 0);
        return count;
    };
    auto first = constants;
    CHECK(kept({batch_norm(first, "bn", "x", "y", 3)}, {2, 3, 2, 2}, first) == 1);
    // Its convolution is read by another too.
    auto shared = constants;
    CHECK(kept({{"Conv", "", "", {"x", "w"}, {"v"}, {}},
                batch_norm(shared, "bn", "v", "n", 4),
                {"Add", "", "", {"n", "v"}, {"y"}, {}}},
               {2, 3, 2, 2}, shared) == 1);
    // Over the tokens of [n, tokens, width], where the weight's columns are the width.
    std::map<std::string, Tensor> tokens{{"w", noise({4, 4}, 1)}};
    CHECK(kept({{"MatMul", "", "", {"x", "w"}, {"v"}, {}}, batch_norm(tokens, "bn", "v", "y", 4)}, {2, 4, 4}, tokens) ==
          1);
    // A weight that two layers share is written under a name of its own.
    auto twice = constants;
    twice["w"] = noise({3, 3, 1, 1}, 1);
    std::vector<Node> nodes{{"Conv", "", "", {"x", "w"}, {"v"}, {}},
                            batch_norm(twice, "bn", "v", "n", 3),
                            {"Conv", "", "", {"n", "w"}, {"y"}, {}}};
    Graph graph = make_graph({2, 3, 2, 2}, nodes, twice);
    declare_outputs(graph);
    const auto expected = run_onnxruntime(graph, noise({2, 3, 2, 2}, 3)).values;
    CHECK(fold_batch_norms(graph).folded == 1);
    CHECK(relative_difference(run_onnxruntime(graph, noise({2, 3, 2, 2}, 3)).values, expected) < 2e-6);
}

TEST_CASE("exported networks compute the same and come back, in every storage", "[graph]") {
    using namespace builders;
    struct Case {
        std::string name;
        Graph graph;
        Dims input;
        int norms_left;
    };
    ResNet small_resnet = resnet18();
    small_resnet.classes = 7;
    DenseNet small_densenet;
    small_densenet.depths = {2, 2};
    small_densenet.dropout = 0.2f;
    small_densenet.classes = 7;
    Cnn small_cnn;
    small_cnn.stages = {{.filters = {8, 8}, .dropout = 0.25f}};
    small_cnn.batch_norms = true;
    small_cnn.hidden = {16};
    small_cnn.dropout = 0.5f;
    std::vector<Case> cases;
    cases.push_back({"resnet18", make_graph(resnet(small_resnet), 1), {1, 3, 64, 64}, 0});
    cases.push_back({"densenet", make_graph(densenet(small_densenet), 1), {1, 3, 64, 64}, -1});
    cases.push_back({"cnn", make_graph(cnn(small_cnn), 1), {1, 3, 32, 32}, 0});
    for (Case& each : cases) {
        INFO(each.name);
        give_statistics(each.graph);
        canonicalise(each.graph);
        const Tensor x = noise(each.input, 5);
        const auto expected = run_onnxruntime(each.graph, x).values;
        for (const bool fold : {true, false})
            for (const WeightStorage storage : {WeightStorage::float32, WeightStorage::float16, WeightStorage::int8}) {
                INFO((fold ? "folded " : "kept ") << static_cast<int>(storage));
                const Exported exported = export_graph(
                    each.graph, {.weights = storage, .fold_batch_norms = fold, .metadata = {{"licence", "MIT"}}});
                CHECK(standard_opset(exported.graph) == 17);
                CHECK(exported.graph.ir_version == 8);
                CHECK(exported.graph.metadata.at("licence") == "MIT");
                CHECK(exported.graph.metadata.at("ouaf.export") == exported.done);
                CHECK(count_of(exported.graph, "Dropout") == 0);
                const int norms = count_of(exported.graph, "BatchNormalization");
                CHECK(norms == (!fold                 ? count_of(each.graph, "BatchNormalization")
                                : each.norms_left < 0 ? norms
                                                      : each.norms_left));
                const auto written = run_onnxruntime(exported.graph, x).values;
                // float32: the order of sums. float16 and int8: weights are off by 2^-11 and about 1 %; the answers
                // by a few times that.
                const double allowed = storage == WeightStorage::float32   ? 1e-5
                                       : storage == WeightStorage::float16 ? 5e-3
                                                                           : 0.2;
                CHECK(relative_difference(written, expected) < allowed);
                const Graph read = again(exported.graph);
                CHECK(relative_difference(by_network(read, x), written) < 1e-5);
                CHECK(count_of(read, "Cast") + count_of(read, "DequantizeLinear") == 0);
                for (const auto& [name, tensor] : read.initializers)
                    if (tensor.dims.size() > 1) CHECK(tensor.dtype == DType::float32);
                const std::size_t whole = bytes_of_weights(fold ? read : each.graph);
                if (storage == WeightStorage::float16)
                    CHECK(bytes_of_weights(exported.graph) < 0.55 * static_cast<double>(whole));
                if (storage == WeightStorage::int8)
                    CHECK(bytes_of_weights(exported.graph) < 0.33 * static_cast<double>(whole));
                CHECK(Network(read).parameters().size() > 2);
            }
    }
}

TEST_CASE("a batch norm folds behind the zeros that PyTorch writes for a missing bias", "[graph]") {
    std::map<std::string, Tensor> constants{
        {"w", noise({4, 3, 3, 3}, 1)}, {"zero", integers({0})}, {"four", integers({4})}};
    Graph graph = make_graph({2, 3, 5, 5},
                             {{"CastLike", "", "", {"zero", "x"}, {"z"}, {}},
                              {"Expand", "", "", {"z", "four"}, {"b"}, {}},
                              {"Conv", "", "", {"x", "w", "b"}, {"v"}, {}},
                              batch_norm(constants, "bn", "v", "y", 4)},
                             {}, 18);
    graph.initializers = constants;
    declare_outputs(graph);
    const Tensor x = noise({2, 3, 5, 5}, 9);
    const auto expected = run_onnxruntime(graph, x).values;
    canonicalise(graph);
    cast_like_to_cast(graph);
    fold_constants(graph);
    CHECK(fold_batch_norms(graph).folded == 1);
    CHECK(graph.nodes.size() == 1);
    CHECK(relative_difference(run_onnxruntime(graph, x).values, expected) < 2e-6);
}

TEST_CASE("float32 to float16 rounds as IEEE 754 says", "[graph]") {
    // Every finite half comes back from its own value, and a value between two goes to the nearer, or to the even one.
    for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
        const Tensor half{DType::float16, {1}, {static_cast<std::byte>(bits & 255), static_cast<std::byte>(bits >> 8)}};
        const Tensor next{
            DType::float16, {1}, {static_cast<std::byte>((bits + 1) & 255), static_cast<std::byte>((bits + 1) >> 8)}};
        const float value = to_floats(half)[0];
        const float above = bits + 1 < 0x7c00 ? to_floats(next)[0] : 65536.0f;
        const float middle = value + (above - value) / 2;
        const bool right = to_half(value) == bits && to_half(-value) == (bits | 0x8000u) &&
                           to_half(middle) == bits + (bits & 1) && to_half(std::nextafter(middle, 0.0f)) == bits &&
                           to_half(std::nextafter(middle, 1e6f)) == bits + 1;
        if (!right) FAIL("half " << bits);
    }
    CHECK(to_half(INFINITY) == 0x7c00);
    CHECK(to_half(-1e30f) == 0xfc00);
    CHECK((to_half(NAN) & 0x7fff) > 0x7c00);
}

TEST_CASE("weights that float16 cannot hold stay float32", "[graph]") {
    Tensor large = noise({2, 2}, 1);
    large.values<float>()[0] = 70000;
    Tensor tiny = noise({2, 2}, 2);
    for (float& value : tiny.values<float>()) value *= 1e-7f;
    Graph graph = make_graph({1, 2},
                             {{"MatMul", "", "", {"x", "large"}, {"a"}, {}},
                              {"MatMul", "", "", {"a", "tiny"}, {"b"}, {}},
                              {"MatMul", "", "", {"b", "good"}, {"c"}, {}},
                              {"Add", "", "", {"c", "bias"}, {"y"}, {}}},
                             {{"large", large}, {"tiny", tiny}, {"good", noise({2, 2}, 3)}, {"bias", noise({2}, 4)}});
    CHECK(store_as_float16(graph) == 1);
    CHECK(graph.initializers.at("good.float16").dtype == DType::float16);
    CHECK(graph.initializers.at("large").dtype == DType::float32);
    CHECK(graph.initializers.at("tiny").dtype == DType::float32);
    CHECK(graph.initializers.at("bias").dtype == DType::float32);
}

TEST_CASE("opsets: the same meaning or none", "[graph]") {
    const auto moved = [](std::vector<Node> nodes, std::map<std::string, Tensor> constants, std::int64_t from,
                          std::int64_t to) {
        Graph graph = make_graph({2, 3, 4, 4}, std::move(nodes), std::move(constants), from);
        sort_topologically(graph);
        declare_outputs(graph);
        const Tensor x = noise({2, 3, 4, 4}, 1);
        const auto expected = run_onnxruntime(graph, x);
        const auto obstacles = move_to_opset(graph, to);
        CHECK(standard_opset(graph) == (obstacles.empty() ? to : from));
        const auto result = run_onnxruntime(graph, x);
        CHECK(result.dims == expected.dims);
        CHECK(result.values == expected.values);
        return obstacles;
    };
    const Node mean{"ReduceMean", "", "", {"x"}, {"y"}, {{"axes", Ints{2, 3}}}};
    CHECK(moved({mean}, {}, 11, 18).empty());
    CHECK(moved({{"ReduceMean", "", "", {"x", "a"}, {"y"}, {{"noop_with_empty_axes", std::int64_t{0}}}}},
                {{"a", integers({2, 3})}}, 18, 17)
              .empty());
    CHECK(moved({{"Squeeze", "", "", {"m"}, {"y"}, {{"axes", Ints{3}}}},
                 {"ReduceMax", "", "", {"x"}, {"m"}, {{"axes", Ints{3}}}}},
                {}, 11, 21)
              .empty());
    CHECK(moved({{"Clip", "", "", {"x"}, {"y"}, {{"min", 0.0f}, {"max", 0.5f}}}}, {}, 9, 17).empty());
    CHECK(moved({{"Pad", "", "", {"x"}, {"y"}, {{"pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}}, {"value", 0.5f}}}}, {}, 9, 17)
              .empty());
    CHECK(
        moved({{"Slice", "", "", {"x"}, {"y"}, {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{2}}}}}, {}, 9, 17)
            .empty());
    CHECK(moved({{"Split", "", "", {"x"}, {"y", "z"}, {{"axis", std::int64_t{3}}}}}, {}, 13, 18).empty());
    CHECK(moved({{"Softmax", "", "", {"x"}, {"y"}, {{"axis", std::int64_t{-1}}}}}, {}, 11, 17).empty());
    CHECK(moved({{"Relu", "", "", {"x"}, {"y"}, {}}}, {}, 8, 24).empty());
    using Obstacles = std::map<std::string, int>;
    CHECK(moved({{"Softmax", "", "", {"x"}, {"y"}, {}}}, {}, 11, 13) == Obstacles{{"Softmax", 1}});
    CHECK(moved({{"Gelu", "", "", {"x"}, {"g"}, {}}, {"Gelu", "", "", {"g"}, {"y"}, {}}}, {}, 20, 17) ==
          Obstacles{{"Gelu", 2}});

    Graph newer =
        make_graph({1, 3}, {{"Gelu", "", "", {"x"}, {"g"}, {}}, {"Dropout", "", "", {"g"}, {"y"}, {}}}, {}, 22);
    const Exported exported = export_graph(newer, {});
    CHECK(standard_opset(exported.graph) == 20);
    CHECK(exported.done == "opset 20, 1 dropout removed, weights float32");
    CHECK(error_of([&] { export_graph(newer, {.opset = 17}); }) ==
          "test: opset 17 has no such Gelu (1) as this graph of opset 22; leave the opset out for the nearest one");
    CHECK(error_of([&] { export_graph(newer, {.opset = 7}); }) ==
          "test: opset 7 is not supported; give one from 13 to " + std::to_string(newest_target_opset()));
}
