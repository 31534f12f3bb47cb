// The activation map against its definition: a class's mean over the places and the head's bias are its logit.
#include "native/graph/activation_map.hpp"

#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/graph/builders/builders.hpp"
#include "native/graph/head.hpp"
#include "native/graph/network.hpp"
#include "native/graph/quantise.hpp"

using namespace ouaf::graph;

TEST_CASE("An activation map adds up to the logits, with weights stored as they are", "[graph]") {
    const bool stored = GENERATE(false, true);
    Graph graph = make_graph(builders::resnet(builders::resnet18()), 3);
    const HeadRows rows = head_rows(graph);
    if (stored) quantise_weights(graph);
    Network alone(graph);
    REQUIRE(add_activation_map(graph, "map"));
    REQUIRE(graph.outputs.size() == 2);
    Network mapped(graph);
    const at::Tensor image = at::randn({2, 3, 96, 64});
    const std::vector<at::Tensor> outputs = mapped.forward(std::vector<at::Tensor>{image});
    CHECK(at::equal(outputs[0], alone.forward(image)));
    CHECK(outputs[1].sizes() == at::IntArrayRef{2, rows.classes, 3, 2});
    const at::Tensor bias = at::tensor(rows.bias);
    // float32 sums of 512 products in another order
    CHECK(at::allclose(outputs[1].mean({2, 3}) + bias, outputs[0], 1e-4, 1e-4));

    remove_output(graph, "map");
    CHECK(graph.outputs.size() == 1);
    CHECK_FALSE(graph.initializers.contains("map.shape"));
    CHECK(at::equal(Network(graph).forward(image), outputs[0]));
}

TEST_CASE("A network whose head reads no mean has no activation map", "[graph]") {
    Graph graph = make_graph(builders::vgg(builders::vgg11()), 3);
    const std::size_t nodes = graph.nodes.size();
    CHECK_FALSE(add_activation_map(graph, "map"));
    CHECK(graph.nodes.size() == nodes);
    CHECK(graph.outputs.size() == 1);
}
