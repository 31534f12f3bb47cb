// What happens to a file from a stranger, as libFuzzer calls it: read, made canonical, folded, planned; where the graph
// is small also run forwards and backwards on a tiny input. Exceptions are right answers; crashes, hangs and
// allocations over 1 GB are not.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>

#include "native/graph/memory_limit.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/torch_tensor.hpp"

namespace {

using namespace ouaf::graph;

// The work of a run stays bounded with the tensors: products of matrices that fill this much take about a second.
constexpr std::int64_t most_bytes = std::int64_t{1} << 24;
constexpr std::size_t most_nodes = 32;
constexpr std::int64_t most_inputs = 1 << 12;  // elements

// Small numbers of both signs; sizes that the file leaves open are 2.
at::Tensor input_for(const Value& value) {
    Dims sizes;
    for (const Dim& dim : value.dims)
        sizes.push_back(std::holds_alternative<std::int64_t>(dim) ? std::get<std::int64_t>(dim) : 2);
    if (!value.has_shape) sizes = {1, 3, 6, 6};
    const std::int64_t count = element_count(sizes);
    if (count > most_inputs) throw std::runtime_error("too large an input to run");
    return (at::arange(count) % 7 - 2).to(scalar_type(value.dtype)).reshape(sizes);
}

void import_and_run(std::span<const std::byte> bytes) {
    const MemoryLimit limit(most_bytes);
    const Graph graph = parse_onnx(bytes, "model.onnx");
    Network network(graph);
    if (graph.nodes.size() > most_nodes) return;
    std::vector<at::Tensor> inputs;
    for (const Value& input : graph.inputs) inputs.push_back(input_for(input));
    network.forward(inputs);
    for (Parameter& parameter : network.parameters()) parameter.tensor.requires_grad_(true);
    for (const at::Tensor& output : network.forward(inputs))
        if (output.defined() && output.requires_grad()) output.sum().backward({}, /*retain_graph=*/true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool one_thread = (at::set_num_threads(1), true);
    static_cast<void>(one_thread);
    try {
        import_and_run(std::as_bytes(std::span(data, size)));
    } catch (const std::bad_alloc&) {
        std::abort();  // no size out of a file may get as far as the system
    } catch (const std::exception&) {
    }
    return 0;
}
