// Every operator of the table against ONNX Runtime, as inference and as training run it, and a few against
// numbers worked out by hand.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/graph/network.hpp"
#include "native/graph/op_table.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

struct Case {
    std::string what;
    Dims input;
    Node node;  // reads 'x' and constants, makes 'y'
    std::map<std::string, Tensor> constants = {};
    std::int64_t opset = 13;
    float scale = 1;  // of the input's values
};

Node op(const std::string& name, std::vector<std::string> reads, std::map<std::string, Attribute> attributes = {}) {
    return {name, "", "", std::move(reads), {"y"}, std::move(attributes)};
}

at::Tensor to_torch(const Tensor& tensor, float scale = 1) {
    const auto values = tensor.values<float>();
    at::Tensor result = at::empty(tensor.dims, at::kFloat);
    std::memcpy(result.data_ptr(), values.data(), values.size_bytes());
    return result * scale;
}

Result to_result(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.detach().to(at::kFloat).contiguous();
    const float* first = dense.const_data_ptr<float>();
    return {dense.sizes().vec(), {first, first + dense.numel()}};
}

std::vector<Case> cases() {
    const auto w = [](const Dims& dims) { return std::map<std::string, Tensor>{{"w", noise(dims, 7)}}; };
    const auto wb = [](const Dims& dims) {
        return std::map<std::string, Tensor>{{"w", noise(dims, 7)}, {"b", noise({dims[0]}, 8)}};
    };
    const auto scalars = [](float low, float high) {
        return std::map<std::string, Tensor>{{"low", number(low)}, {"high", number(high)}};
    };
    std::vector<Case> all{
        {"Conv 3x3", {2, 3, 9, 8}, op("Conv", {"x", "w", "b"}, {{"pads", Ints{1, 1, 1, 1}}}), wb({5, 3, 3, 3})},
        {"Conv without bias", {1, 3, 5, 5}, op("Conv", {"x", "w"}), w({4, 3, 3, 3})},
        {"Conv asymmetric pads, stride 2",
         {2, 3, 8, 10},
         op("Conv", {"x", "w", "b"}, {{"pads", Ints{0, 1, 2, 0}}, {"strides", Ints{2, 2}}}),
         wb({4, 3, 3, 3})},
        {"Conv SAME_UPPER",
         {1, 2, 7, 10},
         op("Conv", {"x", "w"}, {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}),
         w({3, 2, 4, 4})},
        {"Conv SAME_LOWER",
         {1, 2, 7, 10},
         op("Conv", {"x", "w"}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{3, 2}}}),
         w({3, 2, 4, 4})},
        {"Conv VALID", {1, 2, 7, 10}, op("Conv", {"x", "w"}, {{"auto_pad", std::string("VALID")}}), w({3, 2, 3, 3})},
        {"Conv grouped", {2, 6, 6, 6}, op("Conv", {"x", "w", "b"}, {{"group", std::int64_t{3}}}), wb({9, 2, 3, 3})},
        {"Conv depthwise",
         {2, 8, 7, 7},
         op("Conv", {"x", "w", "b"}, {{"group", std::int64_t{8}}, {"pads", Ints{1, 1, 1, 1}}}),
         wb({8, 1, 3, 3})},
        {"Conv dilated",
         {1, 2, 11, 12},
         op("Conv", {"x", "w"}, {{"dilations", Ints{2, 3}}, {"pads", Ints{2, 3, 2, 3}}}),
         w({3, 2, 3, 3})},
        {"Conv of one axis", {2, 3, 12}, op("Conv", {"x", "w"}, {{"pads", Ints{1, 0}}}), w({4, 3, 3})},
        {"Conv of three axes",
         {1, 2, 5, 6, 4},
         op("Conv", {"x", "w"}, {{"pads", Ints{1, 1, 1, 1, 1, 1}}}),
         w({3, 2, 3, 3, 3})},
        {"Gemm", {3, 4}, op("Gemm", {"x", "w", "b"}), {{"w", noise({4, 5}, 2)}, {"b", noise({5}, 3)}}},
        {"Gemm transB, alpha, beta",
         {3, 4},
         op("Gemm", {"x", "w", "b"}, {{"transB", std::int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}}),
         {{"w", noise({5, 4}, 2)}, {"b", noise({3, 1}, 3)}}},
        {"Gemm transA without C",
         {4, 3},
         op("Gemm", {"x", "w"}, {{"transA", std::int64_t{1}}, {"alpha", 3.0f}}),
         w({4, 5})},
        {"MatMul", {3, 4}, op("MatMul", {"x", "w"}), w({4, 5})},
        {"MatMul of stacks", {2, 3, 5, 4}, op("MatMul", {"x", "w"}), w({3, 4, 2})},
        {"Sigmoid", {3, 7}, op("Sigmoid", {"x"}), {}, 13, 8},
        {"Relu", {3, 7}, op("Relu", {"x"})},
        {"Tanh", {3, 7}, op("Tanh", {"x"}), {}, 13, 3},
        {"LeakyRelu", {3, 7}, op("LeakyRelu", {"x"})},
        {"LeakyRelu alpha", {3, 7}, op("LeakyRelu", {"x"}, {{"alpha", 0.3f}})},
        {"HardSigmoid", {3, 7}, op("HardSigmoid", {"x"}), {}, 13, 5},
        {"HardSigmoid alpha, beta", {3, 7}, op("HardSigmoid", {"x"}, {{"alpha", 1.0f / 6}, {"beta", 0.4f}}), {}, 13, 5},
        {"HardSwish", {3, 7}, op("HardSwish", {"x"}), {}, 14, 5},
        {"Clip by attributes", {3, 7}, op("Clip", {"x"}, {{"min", -0.5f}, {"max", 0.25f}}), {}, 10},
        {"Clip by inputs", {3, 7}, op("Clip", {"x", "low", "high"}), scalars(-0.5f, 0.25f)},
        {"Clip without a lower bound", {3, 7}, op("Clip", {"x", "", "high"}), scalars(0, 0.25f)},
        {"Clip without an upper bound", {3, 7}, op("Clip", {"x", "low"}), scalars(0.1f, 0)},
        {"Softmax", {2, 3, 4}, op("Softmax", {"x"}), {}, 13, 4},
        {"Softmax axis 1", {2, 3, 4}, op("Softmax", {"x"}, {{"axis", std::int64_t{1}}}), {}, 13, 4},
        {"Softmax of opset 11 takes the last axes as one", {2, 3, 4}, op("Softmax", {"x"}), {}, 11, 4},
        {"GlobalAveragePool", {2, 3, 5, 7}, op("GlobalAveragePool", {"x"})},
        {"GlobalMaxPool", {2, 3, 5, 7}, op("GlobalMaxPool", {"x"})},
        {"MaxPool",
         {2, 3, 8, 9},
         op("MaxPool", {"x"}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}})},
        {"MaxPool asymmetric",
         {1, 2, 8, 8},
         op("MaxPool", {"x"}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{0, 0, 1, 1}}})},
        {"MaxPool ceil_mode",
         {1, 2, 8, 7},
         op("MaxPool", {"x"}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}})},
        {"MaxPool dilated, one axis",
         {1, 2, 12},
         op("MaxPool", {"x"}, {{"kernel_shape", Ints{3}}, {"dilations", Ints{2}}})},
        {"MaxPool SAME_UPPER",
         {1, 2, 7, 8},
         op("MaxPool", {"x"},
            {{"kernel_shape", Ints{2, 3}}, {"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}})},
        {"AveragePool",
         {2, 3, 8, 9},
         op("AveragePool", {"x"}, {{"kernel_shape", Ints{2, 3}}, {"strides", Ints{2, 1}}})},
        {"AveragePool padded",
         {1, 2, 6, 7},
         op("AveragePool", {"x"}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}})},
        {"AveragePool count_include_pad",
         {1, 2, 6, 7},
         op("AveragePool", {"x"},
            {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 0, 1, 2}}, {"count_include_pad", std::int64_t{1}}})},
        {"AveragePool ceil_mode",
         {1, 2, 8, 7},
         op("AveragePool", {"x"},
            {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}})},
        {"AveragePool SAME_LOWER",
         {1, 2, 7, 7},
         op("AveragePool", {"x"}, {{"kernel_shape", Ints{2, 2}}, {"auto_pad", std::string("SAME_LOWER")}})},
        {"BatchNormalization",
         {2, 4, 5, 6},
         op("BatchNormalization", {"x", "s", "b", "m", "v"}, {{"epsilon", 0.01f}}),
         {{"s", noise({4}, 2)}, {"b", noise({4}, 3)}, {"m", noise({4}, 4)}, {"v", floats({4}, {0.5f, 1, 2, 0.01f})}}},
        {"Dropout", {3, 4}, op("Dropout", {"x"})},
        {"Flatten", {2, 3, 4, 5}, op("Flatten", {"x"})},
        {"Flatten axis 0", {2, 3, 4}, op("Flatten", {"x"}, {{"axis", std::int64_t{0}}})},
        {"Flatten axis -1", {2, 3, 4}, op("Flatten", {"x"}, {{"axis", std::int64_t{-1}}})},
        {"Reshape with 0 and -1", {2, 3, 4}, op("Reshape", {"x", "shape"}), {{"shape", integers({0, -1})}}},
        {"Transpose", {2, 3, 4}, op("Transpose", {"x"}, {{"perm", Ints{1, 2, 0}}})},
        {"Transpose without perm", {2, 3, 4}, op("Transpose", {"x"})},
        {"Concat", {2, 3, 4, 4}, op("Concat", {"x", "w", "x"}, {{"axis", std::int64_t{1}}}), w({2, 2, 4, 4})},
        {"Squeeze", {2, 1, 3, 1}, op("Squeeze", {"x"})},
        {"Squeeze axes", {2, 1, 3, 1}, op("Squeeze", {"x", "axes"}), {{"axes", integers({-1})}}},
        {"Squeeze axes attribute", {2, 1, 3, 1}, op("Squeeze", {"x"}, {{"axes", Ints{1}}}), {}, 11},
        {"Unsqueeze", {2, 3}, op("Unsqueeze", {"x", "axes"}), {{"axes", integers({-1, 0})}}},
        {"Unsqueeze axes attribute", {2, 3}, op("Unsqueeze", {"x"}, {{"axes", Ints{1, 3}}}), {}, 11},
        {"Pad",
         {2, 3, 4},
         op("Pad", {"x", "pads", "value"}),
         {{"pads", integers({0, 1, 2, 1, 0, -1})}, {"value", number(1.5f)}}},
        {"Pad by attributes", {2, 3}, op("Pad", {"x"}, {{"pads", Ints{0, 1, 1, 0}}, {"value", 2.0f}}), {}, 10},
        {"Resize as TensorFlow takes the nearest",
         {1, 2, 5, 4},
         op("Resize", {"x", "roi", "scales"},
            {{"mode", std::string("nearest")},
             {"nearest_mode", std::string("floor")},
             {"coordinate_transformation_mode", std::string("tf_half_pixel_for_nn")}}),
         {{"roi", floats({0}, {})}, {"scales", floats({4}, {1, 1, 2, 3})}},
         12},
        {"Resize by a scale that single precision rounds down",
         {1, 2, 23, 3},
         op("Resize", {"x", "", "scales"},
            {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("half_pixel")}}),
         {{"scales", floats({4}, {1, 1, 13.0f / 23.0f, 3})}}},
        {"ReduceMean", {2, 3, 4, 5}, op("ReduceMean", {"x"}, {{"axes", Ints{2, 3}}, {"keepdims", std::int64_t{0}}})},
        {"ReduceMean of everything", {2, 3, 4}, op("ReduceMean", {"x"})},
        {"ReduceMean axes input", {2, 3, 4}, op("ReduceMean", {"x", "axes"}), {{"axes", integers({-1})}}, 18},
        {"Col2Im",
         {2, 12, 12},
         op("Col2Im", {"x", "image", "block"},
            {{"pads", Ints{1, 0, 0, 1}}, {"strides", Ints{2, 1}}, {"dilations", Ints{1, 2}}}),
         {{"image", integers({5, 5})}, {"block", integers({2, 2})}},
         18},
        {"Einsum with blanks",
         {2, 3, 4},
         op("Einsum", {"x", "w"}, {{"equation", std::string("b i j, k j -> b k i")}}),
         w({5, 4})},
        {"LSTM in both directions",
         {5, 2, 3},
         op("LSTM", {"x", "w", "r", "b"},
            {{"direction", std::string("bidirectional")}, {"hidden_size", std::int64_t{4}}}),
         {{"w", noise({2, 16, 3}, 7)}, {"r", noise({2, 16, 4}, 8)}, {"b", noise({2, 32}, 9)}}},
        {"LSTM backwards from a given state",
         {5, 2, 3},
         op("LSTM", {"x", "w", "r", "", "", "h", "c"},
            {{"direction", std::string("reverse")}, {"hidden_size", std::int64_t{4}}}),
         {{"w", noise({1, 16, 3}, 7)},
          {"r", noise({1, 16, 4}, 8)},
          {"h", noise({1, 2, 4}, 9)},
          {"c", noise({1, 2, 4}, 6)}}},
    };
    for (const char* name : {"Add", "Sub", "Mul", "Div"}) {
        all.push_back({std::string(name), {2, 3, 4, 4}, op(name, {"x", "w"}), w({2, 3, 4, 4})});
        all.push_back({std::string(name) + " broadcast", {2, 3, 4, 4}, op(name, {"x", "w"}), w({3, 1, 1})});
        all.push_back({std::string(name) + " constant first", {3, 1}, op(name, {"w", "x"}), w({2, 3, 4})});
    }
    return all;
}

}  // namespace

TEST_CASE("each operator computes what ONNX Runtime computes", "[graph]") {
    for (const Case& each : cases()) {
        INFO(each.what);
        auto constants = each.constants;
        std::erase_if(constants, [&](const auto& entry) {
            return std::find(each.node.inputs.begin(), each.node.inputs.end(), entry.first) == each.node.inputs.end();
        });
        Graph graph = make_graph(each.input, {each.node}, constants, each.opset);
        Tensor input = noise(each.input, 5);
        for (float& value : input.values<float>()) value *= each.scale;
        const at::Tensor x = to_torch(input);
        Network network(graph);
        const Result inference = to_result(network.forward(x));
        const Result training = to_result(network.forward(x.clone().requires_grad_(true)));

        // The checker wants a rank for the output; the sizes are ONNX Runtime's to find.
        graph.outputs[0].has_shape = true;
        for (std::size_t axis = 0; axis < inference.dims.size(); ++axis)
            graph.outputs[0].dims.emplace_back("d" + std::to_string(axis));
        const Result reference = run_onnxruntime(graph, input);
        CHECK(inference.dims == reference.dims);
        CHECK(relative_difference(inference.values, reference.values) < 1e-5);
        CHECK(training.dims == reference.dims);
        CHECK(relative_difference(training.values, reference.values) < 1e-5);
    }
}

// Statistics made from x itself: the gradient of the sum of y over x is zero where scale is constant, as y is x
// with its own mean taken away; a network that takes the statistics for constants gives scale / deviation instead.
TEST_CASE("batch norm is differentiated through statistics that the graph computes", "[graph]") {
    const std::vector<Node> nodes{
        {"ReduceMean", "", "", {"x"}, {"mean"}, {{"axes", Ints{0, 2, 3}}, {"keepdims", std::int64_t{0}}}},
        op("BatchNormalization", {"x", "scale", "bias", "mean", "variance"})};
    Network network(
        make_graph({3, 2, 2, 2}, nodes,
                   {{"scale", floats({2}, {2, 3})}, {"bias", floats({2}, {0, 1})}, {"variance", floats({2}, {1, 4})}}));
    const at::Tensor x = to_torch(noise({3, 2, 2, 2}, 5)).requires_grad_(true);
    network.forward(x).sum().backward();
    CHECK(x.grad().abs().max().item<double>() < 1e-5);
}

TEST_CASE("the norm of zeros has a gradient", "[graph]") {
    Graph graph =
        make_graph({2, 3}, {op("ReduceL2", {"x"}, {{"axes", Ints{1}}, {"keepdims", std::int64_t{0}}})}, {}, 13);
    const at::Tensor x = at::tensor({3.0f, 0.0f, 4.0f, 0.0f, 0.0f, 0.0f}).reshape({2, 3}).requires_grad_(true);
    Network(graph).forward(x).sum().backward();
    CHECK(at::equal(x.grad(), at::tensor({0.6f, 0.0f, 0.8f, 0.0f, 0.0f, 0.0f}).reshape({2, 3})));
}

TEST_CASE("operators by hand", "[graph]") {
    const auto run = [](const Dims& dims, const std::vector<float>& x, const Node& node,
                        const std::map<std::string, Tensor>& constants) {
        return to_result(Network(make_graph(dims, {node}, constants, 14)).forward(to_torch(floats(dims, x)))).values;
    };
    CHECK(run({1, 1, 1, 3}, {1, 2, 3}, op("Conv", {"x", "w"}, {{"pads", Ints{0, 0, 0, 1}}}),
              {{"w", floats({1, 1, 1, 2}, {10, 1})}}) == std::vector<float>{12, 23, 30});
    CHECK(run({1, 2}, {1, 2}, op("Gemm", {"x", "w", "b"}, {{"transB", std::int64_t{1}}}),
              {{"w", floats({2, 2}, {1, 1, 0, 3})}, {"b", floats({2}, {0.5f, -1})}}) == std::vector<float>{3.5f, 5});
    CHECK(run({4}, {-4, -1, 1, 4}, op("HardSwish", {"x"}), {})[3] == Approx(4));
    CHECK(run({4}, {-4, -1, 1, 4}, op("HardSwish", {"x"}), {})[1] == Approx(-1.0 / 3));
    CHECK(run({1, 1, 3}, {1, 2, 6}, op("AveragePool", {"x"}, {{"kernel_shape", Ints{2}}, {"pads", Ints{0, 1}}}), {}) ==
          std::vector<float>{1.5f, 4, 6});
}

TEST_CASE("attributes that make no sense are refused by name", "[graph]") {
    const auto error = [](const Node& node, const std::map<std::string, Tensor>& constants) {
        return error_of([&] { Network network(make_graph({1, 2, 4, 4}, {node}, constants)); });
    };
    const std::map<std::string, Tensor> w{{"w", noise({2, 2, 3, 3})}};
    CHECK(error(op("Conv", {"x", "w"}, {{"strides", Ints{0, 1}}}), w) == "test: Conv 'y': strides holds 0");
    CHECK(error(op("Conv", {"x", "w"}, {{"pads", Ints{1, 1}}}), w) ==
          "test: Conv 'y': pads has 2 numbers where 4 are needed");
    CHECK(error(op("MaxPool", {"x"}), {}) == "test: MaxPool 'y': has 0 spatial axes; 1 to 3 are supported");
    CHECK(error(op("Pad", {"x", "p"}, {{"mode", std::string("mirror")}}),
                {{"p", integers({0, 0, 0, 0, 0, 0, 0, 0})}}) == "test: Pad 'y': mode 'mirror' is not supported");
}
