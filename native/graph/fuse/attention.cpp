// Scaled dot-product attention, as exporters spell it.
#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

namespace {

using Axes = std::vector<std::int64_t>;

struct Found {
    std::string query;
    std::string key;
    std::string mask;
    float scale = 1;
    std::vector<std::size_t> others;  // the nodes that the merged one replaces
};

// Takes factors off a value: what is left, and their product in `scale`.
std::string without_factors(const Pattern& pattern, const std::vector<Node>& nodes, std::string value, Found& found) {
    for (;;) {
        if (const auto product = pattern.inner(value, "Mul")) {
            const auto& inputs = nodes[*product].inputs;
            const auto right = pattern.number(inputs.at(1));
            const auto left = right ? std::nullopt : pattern.number(inputs.at(0));
            if (!right && !left) return value;
            found.scale *= right ? *right : *left;
            found.others.push_back(*product);
            value = inputs[right ? 0 : 1];
        } else if (const auto quotient = pattern.inner(value, "Div")) {
            const auto divisor = pattern.number(nodes[*quotient].inputs.at(1));
            if (!divisor) return value;
            found.scale /= *divisor;
            found.others.push_back(*quotient);
            value = nodes[*quotient].inputs[0];
        } else {
            return value;
        }
    }
}

// The keys [n, heads, length, size] of which the value is the transpose of the last two axes. PyTorch's exporter writes
// Reshape to [n * heads, length, size], Transpose, Reshape back: where the sizes at both ends agree it is the same.
std::optional<std::string> transposed(const Pattern& pattern, const std::vector<Node>& nodes, const std::string& value,
                                      Found& found) {
    if (const auto plain = pattern.inner(value, "Transpose")) {
        if (attribute_or<Axes>(nodes[*plain], "perm", {}) != Axes{0, 1, 3, 2}) return std::nullopt;
        found.others.push_back(*plain);
        return nodes[*plain].inputs.at(0);
    }
    const auto last = pattern.inner(value, "Reshape");
    if (!last) return std::nullopt;
    const auto turn = pattern.inner(nodes[*last].inputs.at(0), "Transpose");
    if (!turn || attribute_or<Axes>(nodes[*turn], "perm", {}) != Axes{0, 2, 1}) return std::nullopt;
    const auto first = pattern.inner(nodes[*turn].inputs.at(0), "Reshape");
    if (!first) return std::nullopt;
    const std::string& key = nodes[*first].inputs.at(0);
    const Dims* from = pattern.sizes(key);
    const Dims* between = pattern.sizes(nodes[*first].outputs.at(0));
    const Dims* to = pattern.sizes(value);
    if (!from || !between || !to || from->size() != 4 || to->size() != 4) return std::nullopt;
    if (*to != Dims{(*from)[0], (*from)[1], (*from)[3], (*from)[2]}) return std::nullopt;
    if (*between != Dims{(*from)[0] * (*from)[1], (*from)[2], (*from)[3]}) return std::nullopt;
    found.others.insert(found.others.end(), {*last, *turn, *first});
    return key;
}

bool over_last_axis(const Node& softmax, std::int64_t opset) {
    const auto axis = attribute_or<std::int64_t>(softmax, "axis", opset < 13 ? 1 : -1);
    return axis == -1 || axis == 3;
}

// Whether a value of these sizes may be added to scores of those without making them more.
bool broadcasts_to(const Dims* sizes, const Dims& scores) {
    if (!sizes || sizes->size() > scores.size()) return false;
    for (std::size_t back = 1; back <= sizes->size(); ++back) {
        const std::int64_t size = (*sizes)[sizes->size() - back];
        if (size != 1 && size != scores[scores.size() - back]) return false;
    }
    return true;
}

void match(Pattern& pattern, std::vector<Node>& nodes, std::size_t index, std::int64_t opset) {
    if (!is_standard(nodes[index], "MatMul")) return;
    const std::string& value = nodes[index].inputs.at(1);
    const auto softmax = pattern.inner(nodes[index].inputs.at(0), "Softmax");
    if (!softmax || !over_last_axis(nodes[*softmax], opset)) return;
    Found found;
    found.others.push_back(*softmax);
    std::string scores = without_factors(pattern, nodes, nodes[*softmax].inputs.at(0), found);
    if (const auto sum = pattern.inner(scores, "Add"); sum && found.scale == 1) {
        const auto& sides = nodes[*sum].inputs;
        for (std::size_t side = 0; side < 2 && found.mask.empty(); ++side) {
            Found below = found;
            const std::string left = without_factors(pattern, nodes, sides.at(side), below);
            if (!pattern.inner(left, "MatMul")) continue;
            found = below;
            found.mask = sides.at(1 - side);
            found.others.push_back(*sum);
            scores = left;
        }
    }
    const auto product = pattern.inner(scores, "MatMul");
    if (!product) return;
    found.others.push_back(*product);
    found.query = without_factors(pattern, nodes, nodes[*product].inputs.at(0), found);
    const auto key =
        transposed(pattern, nodes, without_factors(pattern, nodes, nodes[*product].inputs.at(1), found), found);
    const Dims* q = pattern.sizes(found.query);
    const Dims* v = pattern.sizes(value);
    if (!key || !q || !v || q->size() != 4 || v->size() != 4 || (*q)[3] != (*v)[3]) return;
    const Dims* k = pattern.sizes(*key);
    if (!k || k->size() != 4 || (*k)[0] != (*q)[0] || (*k)[1] != (*q)[1] || (*v)[1] != (*q)[1]) return;
    if (!found.mask.empty() && !broadcasts_to(pattern.sizes(found.mask), Dims{(*q)[0], (*q)[1], (*q)[2], (*k)[2]}))
        return;

    Node attention{"Attention",          "ouaf", nodes[index].name, {found.query, *key, value, found.mask},
                   nodes[index].outputs, {}};
    attention.attributes["scale"] = found.scale;
    pattern.merge(index, std::move(attention), found.others);
}

}  // namespace

void fuse_attention(std::vector<Node>& nodes, const Surroundings& around) {
    Pattern pattern(nodes, around);
    for (std::size_t index = 0; index < nodes.size(); ++index)
        if (!pattern.is_merged(index)) match(pattern, nodes, index, standard_opset(around.graph));
}

}  // namespace ouaf::graph
