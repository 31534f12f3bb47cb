// Activations that exporters spell with several operators.
#include <cmath>

#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

namespace {

bool is_near(float value, float wanted) { return std::abs(value - wanted) <= 1e-4f * std::abs(wanted); }

void match_silu(Pattern& pattern, std::vector<Node>& nodes, std::size_t index) {
    const Node& product = nodes[index];
    if (!is_standard(product, "Mul") || product.inputs.size() != 2) return;
    for (std::size_t side = 0; side < 2; ++side) {
        const std::string& x = product.inputs[1 - side];
        const auto gate = pattern.inner(product.inputs[side], "Sigmoid");
        if (!gate || nodes[*gate].inputs.at(0) != x) continue;
        pattern.merge(index, Node{"Silu", "ouaf", product.name, {x}, product.outputs, {}}, {*gate});
        return;
    }
}

// The factors of a product of products, with the nodes that only serve it.
struct Product {
    float number = 1;
    std::vector<std::string> values;
    std::vector<std::size_t> inner;
};

void collect(const Pattern& pattern, const std::vector<Node>& nodes, const Node& node, Product& product) {
    for (const std::string& input : node.inputs) {
        if (const auto number = pattern.number(input)) product.number *= *number;
        else if (const auto deeper = pattern.inner(input, "Mul"); deeper && product.inner.size() < 2) {
            product.inner.push_back(*deeper);
            collect(pattern, nodes, nodes[*deeper], product);
        } else product.values.push_back(input);
    }
}

// The other input of a node of two where one is a constant number.
std::optional<std::string> beside_number(const Pattern& pattern, const Node& node, float wanted) {
    if (node.inputs.size() != 2) return std::nullopt;
    for (std::size_t side = 0; side < 2; ++side) {
        const auto number = pattern.number(node.inputs[side]);
        if (number && is_near(*number, wanted)) return node.inputs[1 - side];
    }
    return std::nullopt;
}

// 0.5 x (1 + erf(x / sqrt(2))), in whichever order it is multiplied.
void match_gelu(Pattern& pattern, std::vector<Node>& nodes, std::size_t index) {
    if (!is_standard(nodes[index], "Mul")) return;
    Product product;
    collect(pattern, nodes, nodes[index], product);
    if (product.values.size() != 2 || !is_near(product.number, 0.5f)) return;
    for (std::size_t side = 0; side < 2; ++side) {
        const std::string x = product.values[1 - side];
        const auto sum = pattern.inner(product.values[side], "Add");
        if (!sum) continue;
        const auto summand = beside_number(pattern, nodes[*sum], 1);
        const auto erf = summand ? pattern.inner(*summand, "Erf") : std::nullopt;
        if (!erf) continue;
        const std::string& argument = nodes[*erf].inputs.at(0);
        std::optional<std::size_t> scaled = pattern.inner(argument, "Div");
        std::optional<std::string> from;
        if (scaled) {
            const auto divisor = pattern.number(nodes[*scaled].inputs.at(1));
            if (divisor && is_near(*divisor, std::sqrt(2.0f))) from = nodes[*scaled].inputs.at(0);
        } else if ((scaled = pattern.inner(argument, "Mul"))) {
            from = beside_number(pattern, nodes[*scaled], std::sqrt(0.5f));
        }
        if (from != x) continue;
        std::vector<std::size_t> others = product.inner;
        others.insert(others.end(), {*sum, *erf, *scaled});
        pattern.merge(index, Node{"Gelu", "ouaf", nodes[index].name, {x}, nodes[index].outputs, {}}, others);
        return;
    }
}

}  // namespace

void fuse_activations(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        match_silu(pattern, nodes, index);
        match_gelu(pattern, nodes, index);
    }
}

}  // namespace ouaf::graph
