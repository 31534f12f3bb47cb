// Blends against the formula, and what is refused.
#include "native/graph/blend.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "native/graph/builders/builders.hpp"

using namespace ouaf::graph;

TEST_CASE("A blend's weights are the weighted mean of the networks' weights", "[graph]") {
    const std::vector<Graph> graphs{make_graph(builders::resnet(builders::resnet18()), 1),
                                    make_graph(builders::resnet(builders::resnet18()), 2)};
    const std::vector<double> shares{0.3, 0.7};
    const Graph blended = blend(graphs, shares);
    std::size_t compared = 0;
    for (const auto& [name, tensor] : blended.initializers) {
        if (tensor.dtype != DType::float32) {
            REQUIRE(tensor.bytes == graphs[0].initializers.at(name).bytes);
            continue;
        }
        const auto values = tensor.values<float>();
        const auto first = graphs[0].initializers.at(name).values<float>();
        const auto second = graphs[1].initializers.at(name).values<float>();
        for (std::size_t i = 0; i < values.size(); ++i, ++compared)
            if (values[i] != static_cast<float>(0.3 * first[i] + 0.7 * second[i])) FAIL(name);
    }
    REQUIRE(compared > 10'000'000);  // ResNet-18 has 11.7 million
}

TEST_CASE("Networks of other forms are not blended", "[graph]") {
    const std::vector<double> shares{0.5, 0.5};
    std::vector<Graph> graphs{make_graph(builders::resnet(builders::resnet18()), 1),
                              make_graph(builders::vgg(builders::vgg11()), 1)};
    REQUIRE_THROWS_WITH(blend(graphs, shares), Catch::Contains("the number of operators is not as in"));
    graphs[1] = graphs[0];
    graphs[1].initializers.begin()->second.dims.push_back(1);
    REQUIRE_THROWS_WITH(blend(graphs, shares),
                        Catch::Contains("'" + graphs[0].initializers.begin()->first + "' is not"));
}
