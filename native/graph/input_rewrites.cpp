// See input_rewrites.hpp.
#include "native/graph/input_rewrites.hpp"

#include <algorithm>

#include "native/graph/canonicalise.hpp"

namespace ouaf::graph {

void multiply_input(Graph& graph, const Tensor& matrix) {
    const Value& input = graph.inputs.at(0);
    std::vector<std::int64_t> shape{-1};
    std::int64_t length = 1;
    for (std::size_t axis = 1; axis < input.dims.size(); ++axis) {
        const auto* size = std::get_if<std::int64_t>(&input.dims[axis]);
        if (!size) fail(graph, "an input of free sizes can't be multiplied by a matrix");
        shape.push_back(*size);
        length *= *size;
    }
    if (matrix.dims != Dims{length, length})
        fail(graph, "an input of " + std::to_string(length) + " values needs a matrix of as many rows and columns");
    const std::string images = unused_name(graph, input.name + ".multiplied");
    const std::string flat = unused_name(graph, images + ".flat");
    const std::string product = unused_name(graph, images + ".product");
    const std::string weight = unused_name(graph, images + ".matrix");
    const std::string sizes = unused_name(graph, images + ".sizes");
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), input.name, images);
    graph.initializers[weight] = matrix;
    graph.initializers[sizes] =
        make_tensor({static_cast<std::int64_t>(shape.size())}, std::span<const std::int64_t>(shape));
    const std::vector<Node> first{{"Flatten", "", "", {input.name}, {flat}, {}},
                                  {"MatMul", "", "", {flat, weight}, {product}, {}},
                                  {"Reshape", "", "", {product, sizes}, {images}, {}}};
    graph.nodes.insert(graph.nodes.begin(), first.begin(), first.end());
    canonicalise(graph);
}

}  // namespace ouaf::graph
