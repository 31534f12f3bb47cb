// Patterns merged into one step: each is found, and computes what ONNX Runtime computes of the graph as it is.
#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "native/graph/canonicalise.hpp"
#include "native/graph/fuse/fuse.hpp"
#include "native/graph/network.hpp"
#include "native/graph/value_types.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;

namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor to_torch(const Tensor& tensor) {
    at::Tensor result = at::empty(tensor.dims, at::kFloat);
    std::memcpy(result.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.detach().contiguous();
    return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

Node node(const std::string& op, std::vector<std::string> inputs, const std::string& output,
          std::map<std::string, Attribute> attributes = {}) {
    return {op, "", "", std::move(inputs), {output}, std::move(attributes)};
}

// As make_graph, with the sizes of the output.
Graph graph_of(const Dims& input, const Dims& output, std::vector<Node> nodes, std::map<std::string, Tensor> constants,
               std::int64_t opset = 13) {
    Graph graph = make_graph(input, std::move(nodes), std::move(constants), opset);
    graph.outputs[0] = {"y", DType::float32, true, std::vector<Dim>(output.begin(), output.end())};
    return graph;
}

// The operators left after all patterns of training and inference, in order, with their domains.
std::vector<std::string> fused(const Graph& graph, const Tensor& input) {
    const at::Tensor x = to_torch(input);
    std::unordered_map<std::string, Dims> sizes;
    for (const auto& [name, type] : value_types(graph, {&x, 1})) sizes[name] = type.sizes;
    const Kept kept{"y"};
    const Surroundings around{graph, kept, sizes};
    std::vector<Node> nodes = graph.nodes;
    fuse_activations(nodes, around);
    fuse_attention(nodes, around);
    fuse_linear(nodes, around);
    fuse_convolutions(nodes, around);
    std::vector<std::string> ops;
    for (const Node& each : nodes) ops.push_back((each.domain.empty() ? "" : each.domain + ".") + each.op);
    return ops;
}

// Both with gradients recorded and without, within the rounding of sums of a few dozen float32 products.
void check_results(const Graph& graph, const Tensor& input) {
    const auto reference = run_onnxruntime(graph, input);
    Network network(graph);
    const at::Tensor y = network.forward(to_torch(input));
    CHECK(y.sizes() == at::IntArrayRef(reference.dims));
    CHECK(relative_difference(to_vector(y), reference.values) < 1e-5);
    CHECK(relative_difference(to_vector(network.forward(to_torch(input).requires_grad_(true))), reference.values) <
          1e-5);
}

std::map<std::string, Tensor> gelu_numbers() {
    return {
        {"half", number(0.5f)}, {"one", number(1)}, {"root", number(1.41421356f)}, {"inverse", number(0.70710678f)}};
}

// q, k and v out of one product, as exporters of vision transformers write them; x is [n, 6, 8], two heads of 4.
std::vector<Node> heads() {
    return {
        node("MatMul", {"x", "w"}, "qkv"),
        node("Reshape", {"qkv", "split"}, "five"),
        node("Transpose", {"five"}, "turned", {{"perm", Ints{2, 0, 3, 1, 4}}}),
        node("Gather", {"turned", "i0"}, "q", {{"axis", std::int64_t{0}}}),
        node("Gather", {"turned", "i1"}, "k", {{"axis", std::int64_t{0}}}),
        node("Gather", {"turned", "i2"}, "v", {{"axis", std::int64_t{0}}}),
    };
}

std::map<std::string, Tensor> head_constants() {
    const std::vector<std::int64_t> indices{0, 1, 2};
    const auto index = [&](std::size_t i) { return make_tensor({}, std::span<const std::int64_t>(&indices[i], 1)); };
    return {{"w", noise({8, 24}, 4)},
            {"split", integers({0, 6, 3, 2, 4})},
            {"i0", index(0)},
            {"i1", index(1)},
            {"i2", index(2)},
            {"scale", number(0.5f)},
            {"root", number(0.70710678f)}};
}

std::size_t count(const std::vector<std::string>& ops, const std::string& op) {
    return static_cast<std::size_t>(std::count(ops.begin(), ops.end(), op));
}

}  // namespace

TEST_CASE("Gelu is found in every order in which exporters multiply it", "[graph][fuse]") {
    const Tensor input = noise({2, 30}, 5);
    const std::vector<std::vector<Node>> spellings{
        {node("Div", {"x", "root"}, "a"), node("Erf", {"a"}, "b"), node("Add", {"b", "one"}, "c"),
         node("Mul", {"x", "c"}, "d"), node("Mul", {"d", "half"}, "y")},
        {node("Mul", {"x", "half"}, "h"), node("Div", {"x", "root"}, "a"), node("Erf", {"a"}, "b"),
         node("Add", {"b", "one"}, "c"), node("Mul", {"h", "c"}, "y")},
        {node("Mul", {"x", "inverse"}, "a"), node("Erf", {"a"}, "b"), node("Add", {"one", "b"}, "c"),
         node("Mul", {"half", "c"}, "d"), node("Mul", {"d", "x"}, "y")},
    };
    for (const auto& nodes : spellings) {
        Graph graph = graph_of({2, 30}, {2, 30}, nodes, gelu_numbers());
        CHECK(fused(graph, input) == std::vector<std::string>{"ouaf.Gelu"});
        check_results(graph, input);
    }
    // Other numbers are another function.
    Graph other = graph_of({2, 30}, {2, 30}, spellings[0], gelu_numbers());
    other.initializers["root"] = number(1.5f);
    CHECK(count(fused(other, input), "Erf") == 1);
    check_results(other, input);
}

TEST_CASE("products with a constant matrix take their bias in", "[graph][fuse]") {
    const Tensor input = noise({2, 5, 6}, 5);
    const std::map<std::string, Tensor> constants{
        {"w", noise({6, 4}, 1)}, {"rows", noise({4, 6}, 2)}, {"b", noise({4}, 3)}, {"wide", noise({5, 4}, 4)}};
    const std::vector<Node> plain{node("MatMul", {"x", "w"}, "a"), node("Add", {"a", "b"}, "y")};
    const std::vector<Node> turned{node("Transpose", {"rows"}, "t", {{"perm", Ints{1, 0}}}),
                                   node("MatMul", {"x", "t"}, "a"), node("Add", {"b", "a"}, "y")};
    for (const auto& nodes : {plain, turned}) {
        const Graph graph = graph_of({2, 5, 6}, {2, 5, 4}, nodes, constants);
        CHECK(fused(graph, input) == std::vector<std::string>{"ouaf.Linear"});
        check_results(graph, input);
    }
    // A sum over more than the columns is no bias.
    const Graph sum =
        graph_of({2, 5, 6}, {2, 5, 4}, {node("MatMul", {"x", "w"}, "a"), node("Add", {"a", "wide"}, "y")}, constants);
    CHECK(fused(sum, input) == std::vector<std::string>{"MatMul", "Add"});
    check_results(sum, input);
}

TEST_CASE("a transposed weight keeps its name and its gradient", "[graph][fuse]") {
    const Graph graph =
        make_graph({3, 6}, {node("Transpose", {"rows"}, "t", {{"perm", Ints{1, 0}}}), node("MatMul", {"x", "t"}, "y")},
                   {{"rows", noise({4, 6}, 2)}});
    Network network(graph);
    REQUIRE(network.parameters().size() == 1);
    Parameter& rows = network.parameters()[0];
    CHECK(rows.name == "rows");
    rows.tensor.requires_grad_(true);
    const at::Tensor x = to_torch(noise({3, 6}, 5));
    network.forward(x).sum().backward();
    // d sum(x W') / dW: each row is the sum of the inputs.
    CHECK(at::allclose(rows.tensor.grad(), x.sum(0).expand({4, 6}), 1e-5, 1e-6));
}

TEST_CASE("attention is found as exporters spell it", "[graph][fuse]") {
    const Tensor input = noise({2, 6, 8}, 9);
    auto constants = head_constants();
    constants["mask"] = noise({1, 2, 6, 6}, 7);
    constants["three"] = integers({-1, 6, 4});
    constants["four"] = integers({2, 2, 4, 6});
    const auto with = [&](std::vector<Node> more) {
        std::vector<Node> nodes = heads();
        nodes.insert(nodes.end(), more.begin(), more.end());
        return graph_of({2, 6, 8}, {2, 2, 6, 4}, std::move(nodes), constants);
    };
    const Node softmax = node("Softmax", {"s"}, "p", {{"axis", std::int64_t{-1}}});
    const Node last = node("MatMul", {"p", "v"}, "y");
    // The scale on the scores, and a bias for each pair of positions.
    const Graph plain =
        with({node("Transpose", {"k"}, "kt", {{"perm", Ints{0, 1, 3, 2}}}), node("MatMul", {"q", "kt"}, "r"),
              node("Mul", {"r", "scale"}, "c"), node("Add", {"c", "mask"}, "s"), softmax, last});
    // Its root on both sides, and the keys turned through three axes: PyTorch's exporter.
    const Graph split =
        with({node("Reshape", {"k", "three"}, "k3"), node("Transpose", {"k3"}, "t3", {{"perm", Ints{0, 2, 1}}}),
              node("Reshape", {"t3", "four"}, "kt"), node("Mul", {"q", "root"}, "qs"),
              node("Mul", {"kt", "root"}, "ks"), node("MatMul", {"qs", "ks"}, "s"), softmax, last});
    for (const Graph& graph : {plain, split}) {
        const auto ops = fused(graph, input);
        CHECK(count(ops, "ouaf.Attention") == 1);
        CHECK(count(ops, "Softmax") == 0);
        check_results(graph, input);
    }
    // The same values, but turned into another order, are no transpose of the keys.
    Graph wrong = split;
    wrong.initializers["three"] = integers({-1, 12, 2});
    wrong.initializers["four"] = integers({2, 2, 4, 6});
    CHECK(count(fused(wrong, input), "ouaf.Attention") == 0);
    check_results(wrong, input);
}

TEST_CASE("convolutions take Gelu in", "[graph][fuse]") {
    const Tensor input = noise({2, 3, 5, 5}, 5);
    const Graph graph =
        graph_of({2, 3, 5, 5}, {2, 4, 3, 3}, {node("Conv", {"x", "w", "b"}, "c"), node("Gelu", {"c"}, "y")},
                 {{"w", noise({4, 3, 3, 3}, 1)}, {"b", noise({4}, 2)}}, 20);
    CHECK(fused(graph, input) == std::vector<std::string>{"ouaf.Conv"});
    check_results(graph, input);
}

TEST_CASE("what shapes are made of follows every new size of the input", "[graph][fuse]") {
    // y = x, flattened by a shape that is computed from x's own, plus its last size.
    Graph graph = make_graph(
        {1, 2, 3},
        {node("Shape", {"x"}, "shape"), node("Gather", {"shape", "zero"}, "n", {{"axis", std::int64_t{0}}}),
         node("Concat", {"n", "rest"}, "to", {{"axis", std::int64_t{0}}}), node("Reshape", {"x", "to"}, "flat"),
         node("Gather", {"shape", "last"}, "size", {{"axis", std::int64_t{0}}}),
         node("Cast", {"size"}, "number", {{"to", std::int64_t{1}}}), node("Add", {"flat", "number"}, "y")},
        {{"zero", integers({0})}, {"rest", integers({-1})}, {"last", integers({-1})}});
    graph.inputs[0].dims = {std::string("n"), std::string("h"), std::string("w")};
    Network network(graph);
    for (const Dims& dims :
         {Dims{2, 3, 4}, Dims{5, 1, 2}, Dims{2, 3, 4}, Dims{1, 7, 7}, Dims{3, 2, 2}, Dims{2, 3, 4}}) {
        const at::Tensor x = to_torch(noise(dims, 3));
        const at::Tensor expected = x.reshape({dims[0], -1}) + static_cast<double>(dims[2]);
        CHECK(at::equal(network.forward(x), expected));
    }
}

TEST_CASE("a learned number is not computed with beforehand", "[graph][fuse]") {
    const Graph graph = make_graph({2, 3}, {node("Mul", {"x", "gain"}, "a"), node("Mul", {"a", "two"}, "y")},
                                   {{"gain", number(3)}, {"two", number(2)}});
    Network network(graph);
    const at::Tensor x = to_torch(noise({2, 3}, 1));
    CHECK(at::allclose(network.forward(x), x * 6));
    at::Tensor gain = network.parameter("gain");
    gain.fill_(5);
    CHECK(at::allclose(network.forward(x), x * 10));
    gain.requires_grad_(true);
    network.forward(x).sum().backward();
    CHECK(at::allclose(gain.grad(), x.sum() * 2));
}

TEST_CASE("weights that an exporter merged because they were equal move apart", "[graph][fuse]") {
    const Tensor zeros = floats({2}, {0, 0});
    Graph graph = make_graph({1, 2}, {node("Gemm", {"x", "w", "zeros"}, "a"), node("Gemm", {"a", "w", "zeros"}, "y")},
                             {{"w", floats({2, 2}, {1, 2, 3, 4})}, {"zeros", zeros}});
    canonicalise(graph);
    CHECK(graph.nodes[0].inputs[2] == "zeros");
    CHECK(graph.nodes[1].inputs[2] == "zeros.2");
    CHECK(graph.nodes[1].inputs[1] == "w");  // shared on purpose
    CHECK(graph.initializers.at("zeros.2").dims == zeros.dims);
    CHECK((graph.initializers.at("zeros.2").bytes == zeros.bytes));
}
