// See sensitivity.hpp.
#include "native/graph/sensitivity.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "native/graph/network.hpp"

namespace ouaf::graph {
namespace {

at::Tensor squares_a_channel(const at::Tensor& gradient, const Node& node) {
    const std::int64_t channels = node.op == "Conv" ? 1 : gradient.dim() - 1;
    const at::Tensor first = gradient.movedim(channels, 0).flatten(1);
    return first.square().sum(1, false, at::kDouble);
}

}  // namespace

std::vector<at::Tensor> channel_sensitivities(const Graph& graph, const std::vector<Node>& nodes,
                                              const at::Tensor& images) {
    constexpr std::int64_t batch = 8;  // every activation is kept
    constexpr std::uint64_t seed = 1;
    Graph watched = graph;
    watched.outputs.resize(1);
    for (const Node& node : nodes) watched.outputs.push_back({node.outputs[0], DType::float32, false, {}});
    Network network(watched);
    at::Generator random = at::detail::createCPUGenerator(seed);
    std::vector<at::Tensor> sums(nodes.size());
    for (std::int64_t first = 0; first < images.size(0); first += batch) {
        const at::Tensor part = images.narrow(0, first, std::min(batch, images.size(0) - first)).clone();
        std::vector<at::Tensor> values = network.forward(std::vector<at::Tensor>{part.requires_grad_()});
        const at::Tensor answers = values[0].log_softmax(1);
        values.erase(values.begin());
        const at::Tensor drawn = answers.detach().exp().multinomial(1, false, random);
        const auto gradients =
            torch::autograd::grad({answers.gather(1, drawn).sum()}, values, {}, std::nullopt, false, true);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::int64_t channels = values[i].size(nodes[i].op == "Conv" ? 1 : -1);
            const at::Tensor squares =
                gradients[i].defined() ? squares_a_channel(gradients[i], nodes[i]) : at::zeros({channels}, at::kDouble);
            sums[i] = sums[i].defined() ? sums[i] + squares : squares;
        }
    }
    for (at::Tensor& sum : sums) sum /= static_cast<double>(images.size(0));
    return sums;
}

}  // namespace ouaf::graph
