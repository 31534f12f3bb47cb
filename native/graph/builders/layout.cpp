// See layout.hpp.
#include "native/graph/builders/layout.hpp"

#include <cmath>

#include "native/graph/random.hpp"

namespace ouaf::graph::builders {

namespace {

double draw(const Start& start, Random& random) {
    switch (start.kind) {
        case Start::Kind::constant: return start.value;
        case Start::Kind::normal: return start.value * random.normal();
        case Start::Kind::truncated_normal:
            for (;;)
                if (const double value = random.normal(); std::abs(value) < 2) return start.value * value;
        case Start::Kind::uniform: return start.value * (2 * random.uniform() - 1);
    }
    throw std::runtime_error("builders: unknown way to start a weight");
}

Tensor drawn(const Weight& weight, std::uint64_t seed) {
    Tensor tensor{DType::float32, weight.dims, {}};
    tensor.bytes.resize(static_cast<std::size_t>(tensor.count()) * sizeof(float));
    Random random(seed, weight.name);
    for (float& value : tensor.values<float>()) value = static_cast<float>(draw(weight.start, random));
    return tensor;
}

double root(double numerator, std::int64_t denominator) {
    return std::sqrt(numerator / static_cast<double>(denominator));
}

}  // namespace

Start glorot_uniform(Fans fans) { return {Start::Kind::uniform, root(6, fans.in + fans.out)}; }
Start he_normal(Fans fans) { return {Start::Kind::normal, root(2, fans.in)}; }
Start he_normal_fan_out(Fans fans) { return {Start::Kind::normal, root(2, fans.out)}; }
Start lecun_uniform(Fans fans) { return {Start::Kind::uniform, root(1, fans.in)}; }

ParameterCount parameter_count(const Layout& layout) {
    ParameterCount count;
    for (const Weight& weight : layout.weights)
        (weight.role == Role::trainable ? count.trainable : count.statistics) += element_count(weight.dims);
    return count;
}

Graph make_graph(const Layout& layout, std::uint64_t seed) {
    Graph graph;
    graph.source = layout.name;
    graph.name = layout.name;
    graph.opsets[""] = 17;
    graph.inputs = layout.inputs;
    graph.outputs = layout.outputs;
    graph.nodes = layout.nodes;
    graph.initializers = layout.constants;
    for (const Weight& weight : layout.weights)
        if (!graph.initializers.emplace(weight.name, drawn(weight, seed)).second)
            fail(graph, "two weights are called '" + weight.name + "'");
    return graph;
}

}  // namespace ouaf::graph::builders
