// Networks of other programs in a bundle's form: softmax off, channels first, float32; weights stored in small types.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "native/graph/canonicalise.hpp"
#include "native/graph/classifier_form.hpp"
#include "native/graph/head.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/shape_inference.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;
using Catch::Contains;

namespace {

using Ints = std::vector<std::int64_t>;
using Phrases = std::vector<std::string>;

const Attribute to_channels_first = Ints{0, 3, 1, 2};
const Attribute to_channels_last = Ints{0, 2, 3, 1};

// As tf2onnx writes a Keras network: [n, h, w, 3], normalised inside, softmax at the end.
Graph keras_like(bool normalised) {
    std::vector<Node> nodes;
    std::string images = "x";
    if (normalised) {
        nodes = {{"Sub", "", "", {"x", "mean"}, {"s"}, {}}, {"Div", "", "", {"s", "deviation"}, {"d"}, {}}};
        images = "d";
    }
    nodes.insert(nodes.end(),
                 {{"Transpose", "", "", {images}, {"t"}, {{"perm", to_channels_first}}},
                  {"Conv", "", "", {"t", "w", "b"}, {"c"}, {{"pads", Ints{0, 0, 1, 1}}, {"strides", Ints{2, 2}}}},
                  {"Relu", "", "", {"c"}, {"r"}, {}},
                  {"Transpose", "", "", {"r"}, {"u"}, {{"perm", to_channels_last}}},
                  {"Transpose", "", "", {"u"}, {"v"}, {{"perm", to_channels_first}}},
                  {"GlobalAveragePool", "", "", {"v"}, {"p"}, {}},
                  {"Squeeze", "", "", {"p", "axes"}, {"f"}, {}},
                  {"MatMul", "", "", {"f", "hw"}, {"m"}, {}},
                  {"Add", "", "", {"m", "hb"}, {"z"}, {}},
                  {"Softmax", "", "", {"z"}, {"q"}, {}},
                  {"Identity", "", "", {"q"}, {"y"}, {}}});
    Graph graph = make_graph({2, 8, 6, 3}, nodes,
                             {{"mean", floats({3}, {0.1f, 0.2f, 0.3f})},
                              {"deviation", floats({1, 1, 1, 3}, {0.5f, 0.6f, 0.7f})},
                              {"w", noise({4, 3, 3, 3}, 1)},
                              {"b", noise({4}, 2)},
                              {"axes", integers({2, 3})},
                              {"hw", noise({4, 5}, 3)},
                              {"hb", noise({5}, 4)}});
    graph.inputs[0].dims[0] = std::string("n");
    declare_outputs(graph);
    return graph;
}

std::vector<float> softmax_of(const at::Tensor& logits) {
    const at::Tensor chances = at::softmax(logits, -1).contiguous();
    return {chances.const_data_ptr<float>(), chances.const_data_ptr<float>() + chances.numel()};
}

std::vector<float> numbers(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.to(at::kFloat).contiguous();
    return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

Tensor halves(const Tensor& tensor) {
    Tensor half{DType::float16, tensor.dims, std::vector<std::byte>(tensor.bytes.size() / 2)};
    for (std::size_t i = 0; i < tensor.values<float>().size(); ++i)
        half.values<std::uint16_t>()[i] = to_half(tensor.values<float>()[i]);
    return half;
}

Tensor positive_scales(const Dims& dims) {
    Tensor scales = noise(dims, 8);
    for (float& value : scales.values<float>()) value = 0.05f + std::abs(value);
    return scales;
}

}  // namespace

TEST_CASE("a Keras network takes channels-first images and answers with logits", "[graph]") {
    for (const bool normalised : {true, false}) {
        const Graph original = keras_like(normalised);
        const Tensor x = noise({2, 8, 6, 3}, 7);
        const auto expected = run_onnxruntime(original, x);
        Graph graph = original;
        CHECK(to_classifier_form(graph) ==
              Phrases{"its final softmax was taken off", "its input is now [n, channels, height, width]"});
        CHECK(graph.inputs[0].name == "x");
        CHECK(graph.outputs[0].name == "y");
        CHECK(std::get<std::int64_t>(graph.inputs[0].dims[1]) == 3);
        int transposes = 0;
        for (const Node& node : graph.nodes) transposes += node.op == "Transpose";
        CHECK(transposes == (normalised ? 2 : 0));  // around the normalisation, which is written for channels last
        const at::Tensor images = to_torch(x).permute({0, 3, 1, 2});
        const at::Tensor logits = Network(graph).forward(images);
        CHECK(relative_difference(softmax_of(logits), expected.values) < 1e-6);
        CHECK(relative_difference(run_onnxruntime(graph, from_torch(images.contiguous())).values, numbers(logits)) <
              1e-6);
        CHECK(find_head(graph).classes == 5);
        CHECK(to_classifier_form(graph).empty());
    }
}

TEST_CASE("what ends a network decides what becomes of it", "[graph]") {
    const auto ending = [](std::vector<Node> nodes, std::int64_t opset = 13) {
        nodes.insert(nodes.begin(), {"Gemm", "", "", {"x", "w"}, {"z"}, {}});
        return make_graph({2, 4}, std::move(nodes), {{"w", noise({4, 3}, 1)}, {"shape", integers({-1, 3})}}, opset);
    };
    const Phrases off{"its final softmax was taken off"};
    Graph log = ending({{"LogSoftmax", "", "", {"z"}, {"l"}, {{"axis", std::int64_t{1}}}},
                        {"Reshape", "", "", {"l", "shape"}, {"y"}, {}}});
    CHECK(to_classifier_form(log) == off);
    CHECK(log.nodes.size() == 2);
    Graph images = ending({{"Softmax", "", "", {"z"}, {"y"}, {{"axis", std::int64_t{0}}}}});
    CHECK(to_classifier_form(images).empty());
    // An attention's softmax stays.
    Graph inside = ending({{"Softmax", "", "", {"z"}, {"a"}, {}}, {"Mul", "", "", {"a", "z"}, {"y"}, {}}});
    CHECK(to_classifier_form(inside).empty());
    Graph sigmoid = ending({{"Sigmoid", "", "chances", {"z"}, {"y"}, {}}});
    CHECK(error_of([&] { to_classifier_form(sigmoid); }) ==
          "test: ends in Sigmoid 'chances', which gives every class a probability of its own; give a network whose "
          "last layer makes logits, one a class");
}

TEST_CASE("transposes of transposes", "[graph]") {
    const auto merged = [](const Ints& first, const Ints& second, bool both) {
        std::vector<Node> nodes{{"Transpose", "", "", {"x"}, {"a"}, {{"perm", first}}},
                                {"Transpose", "", "", {"a"}, {both ? "b" : "y"}, {{"perm", second}}}};
        if (both) nodes.push_back({"Concat", "", "", {"b", "b"}, {"y"}, {{"axis", std::int64_t{0}}}});
        Graph graph = make_graph({2, 3, 4}, nodes, {});
        declare_outputs(graph);
        const Tensor x = noise({2, 3, 4}, 1);
        const auto expected = run_onnxruntime(graph, x);
        canonicalise(graph);
        const auto result = run_onnxruntime(graph, x);
        CHECK(result.dims == expected.dims);
        CHECK(result.values == expected.values);
        return graph.nodes.size();
    };
    CHECK(merged({1, 2, 0}, {1, 2, 0}, false) == 1);
    CHECK(merged({1, 2, 0}, {2, 0, 1}, false) == 1);  // the Identity from input to output
    CHECK(merged({1, 2, 0}, {2, 0, 1}, true) == 1);
    CHECK(merged({0, 2, 1}, {1, 2, 0}, true) == 2);
}

TEST_CASE("a network in float16 becomes one in float32, and learns", "[graph]") {
    Graph graph = make_graph({2, 4},
                             {{"Cast", "", "", {"x"}, {"h"}, {{"to", std::int64_t{10}}}},
                              {"Gemm", "", "", {"h", "w", "b"}, {"g"}, {}},
                              {"Cast", "", "", {"i"}, {"j"}, {{"to", std::int64_t{10}}}},
                              {"Mul", "", "", {"g", "j"}, {"y"}, {}}},
                             {{"w", halves(noise({4, 3}, 1))}, {"b", halves(noise({3}, 2))}, {"i", integers({2})}});
    graph.inputs[0].dtype = DType::float16;
    graph.outputs[0].dtype = DType::float16;
    graph.nodes.push_back({"Cast", "", "", {"y"}, {"y32"}, {{"to", std::int64_t{1}}}});
    graph.outputs.push_back({"y32", DType::float32, false, {}});
    declare_outputs(graph);
    const Tensor x = noise({2, 4}, 3);
    const Tensor half_x = halves(x);
    const auto expected = ouaf::onnxruntime::Session(serialise_onnx(graph)).run({"x"}, {&half_x}, {"y32"}).at(0).values;

    CHECK(numbers(Network(graph).forward(std::vector<at::Tensor>{to_torch(half_x)}).at(1)).size() ==
          expected.size());  // runs as it is
    Graph widened = graph;
    CHECK(to_classifier_form(widened) == Phrases{"its numbers are now float32"});
    CHECK(widened.inputs[0].dtype == DType::float32);
    Network network(widened);
    // float16 keeps 11 bits; four products are summed.
    CHECK(relative_difference(numbers(network.forward(to_torch(x))), expected) < 4 * 0x1p-11);
    CHECK(relative_difference(run_onnxruntime(widened, x).values, numbers(network.forward(to_torch(x)))) < 1e-6);
    REQUIRE(network.parameters().size() >= 2);
    CHECK(network.parameters()[0].tensor.scalar_type() == at::kFloat);
    for (Parameter& parameter : network.parameters()) parameter.tensor.requires_grad_(true);
    network.forward(to_torch(x)).sum().backward();
    CHECK(network.parameters()[0].tensor.grad().defined());
}

TEST_CASE("weights in small types come out as ONNX Runtime reads them", "[graph]") {
    const auto folded = [](Tensor stored, Tensor scale, std::map<std::string, Attribute> attributes, Tensor zero = {}) {
        Node node{"DequantizeLinear", "", "", {"q", "s"}, {"w"}, std::move(attributes)};
        std::map<std::string, Tensor> constants{{"q", std::move(stored)}, {"s", std::move(scale)}};
        if (!zero.bytes.empty()) {
            node.inputs.push_back("z");
            constants["z"] = std::move(zero);
        }
        Graph graph = make_graph({2, 4}, {node, {"MatMul", "", "", {"x", "w"}, {"y"}, {}}}, constants, 21);
        declare_outputs(graph);
        const Tensor x = noise({2, 4}, 3);
        const auto expected = run_onnxruntime(graph, x).values;
        canonicalise(graph);
        CHECK(graph.nodes.size() == 1);
        CHECK(relative_difference(run_onnxruntime(graph, x).values, expected) < 1e-6);
    };
    const std::vector<std::int8_t> eight{1, -2, 3, 4, -5, 6, 7, 8, -9, 10, 11, 12};
    const Tensor bytes = make_tensor({4, 3}, std::span<const std::int8_t>(eight));
    folded(bytes, positive_scales({2, 3}), {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{2}}});
    folded(bytes, positive_scales({2, 3}), {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{3}}});  // 3 and 1
    folded(bytes, positive_scales({4, 2}), {{"axis", std::int64_t{1}}, {"block_size", std::int64_t{2}}},
           make_tensor({4, 2}, std::span<const std::int8_t>(eight.data(), 8)));
    Tensor wide{DType::int16, {4, 3}, std::vector<std::byte>(24)};
    for (std::size_t i = 0; i < 12; ++i) wide.values<std::int16_t>()[i] = static_cast<std::int16_t>(1000 * eight[i]);
    folded(wide, positive_scales({3}), {{"axis", std::int64_t{1}}});
    wide.dtype = DType::uint16;
    folded(wide, number(0.01f), {});

    for (const DType dtype : {DType::float16, DType::bfloat16, DType::float64}) {
        Tensor stored{dtype, {4, 3}, std::vector<std::byte>(12 * byte_size(dtype))};
        const Tensor values = noise({4, 3}, 5);
        for (std::size_t i = 0; i < 12; ++i) {
            const float value = values.values<float>()[i];
            if (dtype == DType::float64) stored.values<double>()[i] = value;
            else
                stored.values<std::uint16_t>()[i] =
                    dtype == DType::float16 ? to_half(value)
                                            : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
        }
        Graph graph = make_graph(
            {2, 4},
            {{"Cast", "", "", {"v"}, {"w"}, {{"to", std::int64_t{1}}}}, {"MatMul", "", "", {"x", "w"}, {"y"}, {}}},
            {{"v", stored}});
        declare_outputs(graph);
        const auto expected = run_onnxruntime(graph, noise({2, 4}, 3)).values;
        canonicalise(graph);
        CHECK(graph.initializers.at("w").dtype == DType::float32);
        CHECK(relative_difference(run_onnxruntime(graph, noise({2, 4}, 3)).values, expected) < 1e-6);
        CHECK(Network(graph).parameters()[0].name == "w");
    }
}

TEST_CASE("quantised activations are refused by name", "[graph]") {
    const std::map<std::string, Tensor> constants{{"s", number(0.1f)}};
    Graph graph = make_graph({2},
                             {{"QuantizeLinear", "", "", {"x", "s"}, {"a"}, {}},
                              {"DequantizeLinear", "", "", {"a", "s"}, {"b"}, {}},
                              {"QuantizeLinear", "", "", {"b", "s"}, {"c"}, {}},
                              {"DequantizeLinear", "", "", {"c", "s"}, {"y"}, {}}},
                             constants);
    CHECK_THAT(
        error_of([&] { Network network(graph); }),
        Contains("quantised activations (QuantizeLinear/DequantizeLinear, 2 pairs) cannot be trained: export the "
                 "float model"));
}

TEST_CASE("shapes that contradict each other are one clear error", "[graph]") {
    const auto parsed = [](const Graph& graph) {
        Graph declared = graph;  // of two dimensions, of whatever size
        if (!declared.outputs[0].has_shape)
            declared.outputs[0] = {"y", DType::float32, true, {std::string("a"), std::string("b")}};
        const std::string bytes = serialise_onnx(declared);
        return parse_onnx(std::as_bytes(std::span(bytes)), "m.onnx");
    };
    const auto gemm = [](const Dims& weight, std::vector<Dim> output) {
        Graph graph = make_graph({2, 4}, {{"Gemm", "", "head", {"x", "w"}, {"y"}, {}}}, {{"w", noise(weight, 1)}});
        graph.outputs[0] = {"y", DType::float32, true, std::move(output)};
        return graph;
    };
    CHECK(parsed(gemm({4, 3}, {std::string("n"), std::int64_t{3}})).nodes.size() == 1);
    CHECK(error_of([&] {
              parsed(gemm({4, 3}, {std::int64_t{2}, std::int64_t{5}}));
          }) ==
          "m.onnx: output 'y' is declared as float32 [2, 5], and what makes it gives float32 [2, 3]; export the model "
          "again");
    Graph concat = make_graph({1, 3}, {{"Concat", "", "join", {"x", "w"}, {"y"}, {{"axis", std::int64_t{0}}}}},
                              {{"w", noise({1, 4}, 1)}});
    CHECK_THAT(error_of([&] { parsed(concat); }), Catch::StartsWith("m.onnx: Concat 'join' does not fit its inputs: "));

    // What a shape is computed from is followed.
    Graph shape = make_graph({2, 6},
                             {{"Shape", "", "", {"x"}, {"s"}, {}},
                              {"Gather", "", "", {"s", "zero"}, {"n"}, {}},
                              {"Concat", "", "", {"n", "rest"}, {"to"}, {{"axis", std::int64_t{0}}}},
                              {"Reshape", "", "", {"x", "to"}, {"y"}, {}}},
                             {{"zero", integers({0})}, {"rest", integers({2, 3})}}, 21);
    const std::vector<Dim> expected{std::int64_t{2}, std::int64_t{2}, std::int64_t{3}};
    const Value inferred = infer_shapes(shape).at("y");
    CHECK((inferred.dims == expected));

    // A file may claim a shape of 2^40 dimensions; nothing is made of it.
    Graph hostile = make_graph({1}, {{"ConstantOfShape", "", "", {"sizes"}, {"y"}, {}}}, {});
    hostile.inputs.push_back({"sizes", DType::int64, true, {std::int64_t{1} << 40}});
    CHECK(infer_shapes(hostile).count("y") == 0);
    Graph doubled = make_graph({1}, {{"Concat", "", "", {"two", "two"}, {"d0"}, {{"axis", std::int64_t{0}}}}},
                               {{"two", integers({1, 1})}});
    for (int i = 0; i < 40; ++i)
        doubled.nodes.push_back({"Concat",
                                 "",
                                 "",
                                 {"d" + std::to_string(i), "d" + std::to_string(i)},
                                 {"d" + std::to_string(i + 1)},
                                 {{"axis", std::int64_t{0}}}});
    doubled.nodes.push_back({"ConstantOfShape", "", "", {"d40"}, {"y"}, {}});
    CHECK(infer_shapes(doubled).count("y") == 0);
}
