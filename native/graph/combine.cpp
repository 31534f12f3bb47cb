// See combine.hpp.
#include "native/graph/combine.hpp"

#include <algorithm>

#include "native/graph/canonicalise.hpp"
#include "native/graph/head_rewrites.hpp"
#include "native/graph/opset.hpp"

namespace ouaf::graph {
namespace {

void put_in_front(Graph& graph, const std::string& prefix) {
    const auto rename = [&](std::string& name) {
        if (!name.empty()) name.insert(0, prefix);
    };
    for (Value& value : graph.inputs) rename(value.name);
    for (Value& value : graph.outputs) rename(value.name);
    for (Node& node : graph.nodes) {
        rename(node.name);
        std::for_each(node.inputs.begin(), node.inputs.end(), rename);
        std::for_each(node.outputs.begin(), node.outputs.end(), rename);
    }
    std::map<std::string, Tensor> initializers;
    for (auto& [name, tensor] : graph.initializers) initializers.emplace(prefix + name, std::move(tensor));
    graph.initializers = std::move(initializers);
}

// x as `from` is normalised -> as `to` is.
void renormalise(Graph& graph, const std::string& x, const std::string& y, const Extractor& from, const Extractor& to) {
    std::array<float, 3> factor{};
    std::array<float, 3> offset{};
    for (std::size_t c = 0; c < 3; ++c) {
        factor.at(c) = from.std.at(c) / to.std.at(c);
        offset.at(c) = (from.mean.at(c) - to.mean.at(c)) / to.std.at(c);
    }
    graph.initializers[y + ".factor"] = make_tensor({1, 3, 1, 1}, std::span<const float>(factor));
    graph.initializers[y + ".offset"] = make_tensor({1, 3, 1, 1}, std::span<const float>(offset));
    graph.nodes.push_back({"Mul", "", "", {x, y + ".factor"}, {y + ".scaled"}, {}});
    graph.nodes.push_back({"Add", "", "", {y + ".scaled", y + ".offset"}, {y}, {}});
}

std::int64_t width_of(const Graph& extractor) { return std::get<std::int64_t>(extractor.outputs.at(0).dims.at(1)); }

}  // namespace

Graph combine(std::span<const Extractor> extractors, std::int64_t classes) {
    std::vector<Graph> parts;
    std::int64_t opset = 0;
    for (const Extractor& each : extractors) {
        parts.push_back(cut_head(each.graph));
        opset = std::max(opset, standard_opset(parts.back()));
    }
    for (Graph& part : parts)
        if (const auto left = move_to_opset(part, opset); !left.empty())
            fail(part, "can't be put beside a network of opset " + std::to_string(opset) + ": its " +
                           left.begin()->first + " means something else there");

    Graph whole = std::move(parts[0]);
    std::vector<std::string> features{whole.outputs[0].name};
    std::int64_t width = width_of(whole);
    const std::string input = whole.inputs.at(0).name;
    for (std::size_t i = 1; i < parts.size(); ++i) {
        Graph& part = parts[i];
        put_in_front(part, std::to_string(i + 1) + ".");
        const std::string own_input = part.inputs.at(0).name;
        if (extractors[i].mean == extractors[0].mean && extractors[i].std == extractors[0].std) {
            for (Node& node : part.nodes) std::replace(node.inputs.begin(), node.inputs.end(), own_input, input);
        } else {
            renormalise(whole, input, own_input, extractors[0], extractors[i]);
        }
        features.push_back(part.outputs[0].name);
        width += width_of(part);
        std::move(part.nodes.begin(), part.nodes.end(), std::back_inserter(whole.nodes));
        whole.initializers.merge(part.initializers);
    }
    const std::string joined = unused_name(whole, "features");
    const std::string logits = unused_name(whole, "logits");
    const std::string weight = unused_name(whole, "head.weight");
    const std::string bias = unused_name(whole, "head.bias");
    whole.initializers[weight] =
        make_tensor({classes, width}, std::vector<float>(static_cast<std::size_t>(classes * width)));
    whole.initializers[bias] = make_tensor({classes}, std::vector<float>(static_cast<std::size_t>(classes)));
    whole.nodes.push_back({"Concat", "", "", features, {joined}, {{"axis", std::int64_t{1}}}});
    whole.nodes.push_back({"Gemm", "", "", {joined, weight, bias}, {logits}, {{"transB", std::int64_t{1}}}});
    whole.outputs = {Value{logits, DType::float32, true, {whole.outputs[0].dims[0], classes}}};
    canonicalise(whole);
    return whole;
}

}  // namespace ouaf::graph
