// See rounding.hpp.
#include "native/graph/rounding.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "native/graph/batch_norm.hpp"
#include "native/graph/export.hpp"
#include "native/graph/network.hpp"
#include "native/graph/ops/window.hpp"
#include "native/graph/quantise.hpp"
#include "native/graph/sensitivity.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {
namespace {

constexpr std::int64_t places_an_image = 32;  // that a convolution's window is looked at

// One node with a weight, as products of rows [groups, rows, width] with columns of its input.
struct Layer {
    Node node;
    StoredWeight weight;
    std::int64_t groups = 1;
    std::optional<std::string> bias;  // its initializer, that nothing else reads
};

std::vector<Layer> find_layers(const Graph& graph) {
    const auto uses = use_counts(graph.nodes, graph.outputs);
    std::set<std::string> taken;
    std::vector<Layer> layers;
    for (const Node& node : graph.nodes) {
        const auto weight = stored_weight(graph, node);
        if (!weight || attribute_or<std::int64_t>(node, "transA", 0) != 0) continue;
        if (node.op == "Conv" && graph.initializers.at(weight->name).dims.size() != 4) continue;
        if (!taken.insert(weight->name).second) continue;
        Layer layer{node, *weight, attribute_or<std::int64_t>(node, "group", 1), std::nullopt};
        const bool has_bias = node.inputs.size() > 2 && graph.initializers.contains(node.inputs[2]);
        if (has_bias && uses.at(node.inputs[2]) == 1 && attribute_or<float>(node, "beta", 1.0F) == 1.0F)
            layer.bias = node.inputs[2];
        layers.push_back(std::move(layer));
    }
    return layers;
}

// The places of a long row of windows that are looked at: evenly apart, others for every image.
at::Tensor some_places(std::int64_t count, std::int64_t image) {
    const std::int64_t looked_at = std::min(count, places_an_image);
    return (at::arange(looked_at, at::kLong) * count).floor_divide(looked_at).add_(image * 7).remainder_(count);
}

// What the layer's weight multiplies, [groups, width, n].
at::Tensor columns_of(const Layer& layer, const Graph& graph, const at::Tensor& input) {
    if (layer.node.op != "Conv") return input.reshape({-1, input.size(-1)}).t().unsqueeze(0);
    const Dims& dims = graph.initializers.at(layer.weight.name).dims;
    const Window window = read_window({graph, layer.node, standard_opset(graph)}, {dims[2], dims[3]});
    std::vector<std::int64_t> before;
    std::vector<std::int64_t> after;
    window.paddings(input, before, after);
    std::vector<at::Tensor> columns;
    for (std::int64_t image = 0; image < input.size(0); ++image) {
        const at::Tensor one = padded(input.narrow(0, image, 1), before, after, 0).contiguous();
        const at::Tensor windows = at::im2col(one, window.kernel, window.dilations, {0, 0}, window.strides)[0];
        columns.push_back(windows.index_select(1, some_places(windows.size(1), image)));
    }
    const at::Tensor all = at::cat(columns, 1);
    return all.view({layer.groups, all.size(0) / layer.groups, all.size(1)});
}

// Sums over the columns that were seen.
struct Sums {
    std::int64_t count = 0;
    at::Tensor first;   // [groups, width]
    at::Tensor second;  // [groups, width, width]

    void add(const at::Tensor& columns) {
        const at::Tensor sum = columns.sum(2, false, at::kDouble);
        const at::Tensor square = at::bmm(columns, columns.transpose(1, 2)).to(at::kDouble);
        first = count == 0 ? sum : first + sum;
        second = count == 0 ? square : second + square;
        count += columns.size(2);
    }

    InputStatistics statistics() const {
        const at::Tensor mean = first / static_cast<double>(count);
        return {mean, second / static_cast<double>(count) - mean.unsqueeze(2) * mean.unsqueeze(1)};
    }
};

std::vector<Sums> measure_inputs(const Graph& graph, const std::vector<Layer>& layers, const at::Tensor& images) {
    const c10::InferenceMode inference;
    constexpr std::int64_t batch = 16;
    Graph watched = graph;
    std::vector<std::size_t> output_of;  // of each layer's input
    watched.outputs.clear();
    for (const Layer& layer : layers) {
        const auto same = [&](const Value& output) { return output.name == layer.node.inputs[0]; };
        const auto found = std::ranges::find_if(watched.outputs, same);
        output_of.push_back(static_cast<std::size_t>(found - watched.outputs.begin()));
        if (found == watched.outputs.end())
            watched.outputs.push_back({layer.node.inputs[0], DType::float32, false, {}});
    }
    Network network(watched);
    std::vector<Sums> sums(layers.size());
    for (std::int64_t first = 0; first < images.size(0); first += batch) {
        const at::Tensor part = images.narrow(0, first, std::min(batch, images.size(0) - first));
        const std::vector<at::Tensor> values = network.forward(std::vector<at::Tensor>{part});
        for (std::size_t i = 0; i < layers.size(); ++i) sums[i].add(columns_of(layers[i], graph, values[output_of[i]]));
    }
    return sums;
}

// [groups, rows, width], and back.
at::Tensor rows_of(const Layer& layer, const Graph& graph) {
    const Tensor& stored = graph.initializers.at(layer.weight.name);
    const at::Tensor given = to_torch(stored);
    return (layer.weight.axis == 0 ? given : given.t())
        .reshape({layer.groups, stored.dims[layer.weight.axis] / layer.groups, -1})
        .contiguous();
}

Tensor from_rows(const at::Tensor& rows, const Layer& layer, const Dims& dims) {
    return from_torch(layer.weight.axis == 0 ? rows.reshape(dims) : rows[0].t().contiguous());
}

// What an error's square is weighed by, [groups, width, width].
at::Tensor weighed_by(const Layer& layer, const InputStatistics& inputs) {
    // Without a bias to take it, a mean error is an error like any other.
    return layer.bias ? inputs.covariance : inputs.covariance + inputs.mean.unsqueeze(2) * inputs.mean.unsqueeze(1);
}

struct Elimination {
    at::Tensor order;   // [groups, width] of columns: those of the largest variance first
    at::Tensor factor;  // [groups, width, width], upper: row j says how columns after j take back an error of column j
};

Elimination eliminate(const at::Tensor& covariance) {
    constexpr double damping = 0.01;   // of the mean variance, onto every one: what few data leave open stays near
    constexpr double smallest = 1e-9;  // where nothing ever goes in
    const at::Tensor variance = covariance.diagonal(0, 1, 2);
    const at::Tensor order = variance.argsort(1, true);
    const at::Tensor floor = (variance.mean(1) * damping).clamp_min(smallest);
    const at::Tensor ordered = covariance.gather(1, order.unsqueeze(2).expand(covariance.sizes()))
                                   .gather(2, order.unsqueeze(1).expand(covariance.sizes())) +
                               floor.view({-1, 1, 1}) * at::eye(covariance.size(1), at::kDouble);
    return {order, at::linalg_cholesky(at::cholesky_inverse(at::linalg_cholesky(ordered)), true)};
}

// [groups, rows]: where a weight may be any number, the steps that keep it best.
at::Tensor finest_steps(const at::Tensor& rows) {
    const at::Tensor flat = rows.flatten(0, 1).contiguous();
    at::Tensor steps = at::empty({flat.size(0)});
    for (std::int64_t row = 0; row < flat.size(0); ++row) {
        const at::Tensor values = flat[row];
        steps[row] = best_scale({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    }
    return steps.view({rows.size(0), rows.size(1)});
}

// In bits, of all the numbers together.
double entropy(const at::Tensor& integers) {
    const at::Tensor counts =
        (integers.flatten().to(at::kLong) + largest_integer).bincount({}, 2 * largest_integer + 1);
    const at::Tensor shares = counts.to(at::kDouble) / static_cast<double>(integers.numel());
    return -at::xlogy(shares, shares).sum().item<double>() / std::log(2.0) * static_cast<double>(integers.numel());
}

at::Tensor nearest(const at::Tensor& rows, const at::Tensor& steps) {
    return (rows / steps.unsqueeze(2)).round_().clamp_(-largest_integer, largest_integer);
}

// Of each layer [groups, rows], so that its integers come to `bits` a weight.
std::vector<at::Tensor> coarser_steps(const Graph& graph, const std::vector<Layer>& layers,
                                      const std::vector<Sums>& sums, const at::Tensor& images, double bits) {
    std::vector<Node> nodes;
    for (const Layer& layer : layers) nodes.push_back(layer.node);
    const std::vector<at::Tensor> sensitivities = channel_sensitivities(graph, nodes, images);
    std::vector<at::Tensor> rows;
    std::vector<at::Tensor> finest;
    std::vector<at::Tensor> shares;  // of the step that all have in common
    double weights = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        rows.push_back(rows_of(layers[i], graph));
        weights += static_cast<double>(rows[i].numel());
        finest.push_back(rows[i].abs().amax(2).clamp_min(1e-30).div(largest_integer));
        const at::Tensor factor = eliminate(weighed_by(layers[i], sums[i].statistics())).factor;
        const at::Tensor left = factor.diagonal(0, 1, 2).square().reciprocal().mean(1);  // of an error's square
        const at::Tensor cost = sensitivities[i].view({layers[i].groups, -1}) * left.unsqueeze(1);
        shares.push_back(cost.clamp_min(1e-30).rsqrt().to(at::kFloat));
    }
    const auto steps_at = [&](std::size_t i, double common) {
        // A step of the largest weight's size leaves one integer of each sign.
        return at::minimum(at::maximum(shares[i] * common, finest[i]), finest[i] * largest_integer);
    };
    // The common step by bisection, its logarithm between those of the outermost that make a difference.
    double low = -70;
    double high = 70;
    for (int halving = 0; halving < 24; ++halving) {
        const double middle = (low + high) / 2;
        double sum = 0;
        for (std::size_t i = 0; i < layers.size(); ++i) sum += entropy(nearest(rows[i], steps_at(i, std::exp(middle))));
        (sum > bits * weights ? low : high) = middle;
    }
    std::vector<at::Tensor> steps;
    for (std::size_t i = 0; i < layers.size(); ++i) steps.push_back(steps_at(i, std::exp(high)));
    return steps;
}

void round_layer(Graph& graph, const Layer& layer, const Sums& sums, const at::Tensor& steps) {
    const at::Tensor rows = rows_of(layer, graph);
    const InputStatistics inputs = sums.statistics();
    const at::Tensor rounded =
        round_columns(rows, steps, weighed_by(layer, inputs)).to(at::kFloat) * steps.unsqueeze(2);
    Tensor& stored = graph.initializers.at(layer.weight.name);
    stored = from_rows(rounded, layer, stored.dims);
    if (!layer.bias) return;
    const at::Tensor lost = at::matmul((rows - rounded).to(at::kDouble), inputs.mean.unsqueeze(2)).flatten();
    Tensor& bias = graph.initializers.at(*layer.bias);
    const at::Tensor before = to_torch(bias);
    if (before.numel() == lost.numel()) bias = from_torch((before + lost.view(before.sizes())).to(at::kFloat));
}

}  // namespace

at::Tensor round_columns(const at::Tensor& weight, const at::Tensor& scale, const at::Tensor& covariance) {
    const std::int64_t width = weight.size(2);
    const auto [order, factor] = eliminate(covariance);
    const at::Tensor across = order.unsqueeze(1);
    at::Tensor left = (weight.to(at::kDouble) / scale.to(at::kDouble).unsqueeze(2))
                          .gather(2, across.expand(weight.sizes()));  // in steps
    at::Tensor integers = at::empty_like(left);
    at::Tensor errors = at::empty_like(left);
    // What a block's errors do to the columns after it is one product.
    constexpr std::int64_t block = 64;
    for (std::int64_t first = 0; first < width; first += block) {
        const std::int64_t last = std::min(first + block, width);
        for (std::int64_t j = first; j < last; ++j) {
            const at::Tensor wanted = left.select(2, j);
            const at::Tensor integer = wanted.round().clamp_(-largest_integer, largest_integer);
            integers.select(2, j).copy_(integer);
            const at::Tensor row = factor.select(1, j);  // [groups, width]
            const at::Tensor error = (wanted - integer) / row.narrow(1, j, 1);
            errors.select(2, j).copy_(error);
            const std::int64_t after = last - j - 1;
            left.narrow(2, j + 1, after).sub_(error.unsqueeze(2) * row.narrow(1, j + 1, after).unsqueeze(1));
        }
        const at::Tensor shares = factor.narrow(1, first, last - first).narrow(2, last, width - last);
        left.narrow(2, last, width - last).sub_(at::bmm(errors.narrow(2, first, last - first), shares));
    }
    return at::empty_like(integers).scatter_(2, across.expand(integers.sizes()), integers);
}

void round_weights(Graph& graph, const at::Tensor& images, double bits) {
    const std::vector<Layer> layers = find_layers(graph);
    const std::vector<Sums> sums = measure_inputs(graph, layers, images);
    std::vector<at::Tensor> steps;
    if (bits < 8) steps = coarser_steps(graph, layers, sums, images, bits);
    else
        for (const Layer& layer : layers) steps.push_back(finest_steps(rows_of(layer, graph)));
    for (std::size_t i = 0; i < layers.size(); ++i) round_layer(graph, layers[i], sums[i], steps[i]);
}

std::map<std::string, at::Tensor> weight_steps(const Graph& graph) {
    std::map<std::string, at::Tensor> steps;
    for (const Node& node : graph.nodes) {
        const auto weight = stored_weight(graph, node);
        if (!weight) continue;
        const Tensor& stored = graph.initializers.at(weight->name);
        Dims channels(stored.dims.size(), 1);
        channels[weight->axis] = stored.dims[weight->axis];
        const at::Tensor rows = to_torch(stored).movedim(static_cast<std::int64_t>(weight->axis), 0).flatten(1);
        steps[weight->name] = finest_steps(rows.unsqueeze(0)).view(channels);
    }
    return steps;
}

Graph export_rounded(Graph graph, const at::Tensor& images, double bits) {
    remove_dropout(graph);
    fold_batch_norms(graph);
    round_weights(graph, images, bits);  // export_graph finds them on its grid
    return export_graph(std::move(graph), {.weights = WeightStorage::int8}).graph;
}

}  // namespace ouaf::graph
