// See network.hpp.
#include "native/graph/network.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <optional>

#include "native/graph/blocks.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/checkpoint.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/head.hpp"
#include "native/graph/program.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

void refuse_unsupported(const Graph& graph) {
    const std::int64_t opset = standard_opset(graph);
    std::map<std::string, int> counts;
    int total = 0;
    for (const Node& node : graph.nodes) {
        if (node.domain != "ouaf" && find_op(node.domain, node.op, opset)) continue;
        std::string name = node.domain.empty() ? node.op : node.domain + "." + node.op;
        if (node.domain.empty() && find_op("", node.op, newest_opset)) name += " of opset " + std::to_string(opset);
        ++counts[name];
        ++total;
    }
    if (total == 0) return;
    std::vector<std::pair<std::string, int>> most_first(counts.begin(), counts.end());
    std::stable_sort(most_first.begin(), most_first.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string list;
    for (const auto& [name, count] : most_first)
        list += (list.empty() ? "" : ", ") + name + " (" + std::to_string(count) + ")";
    const auto count = [&](const char* op) { return counts.contains(op) ? counts.at(op) : 0; };
    if (const int pairs = std::max(count("QuantizeLinear"), count("DequantizeLinear")); pairs > 0)
        list += "; quantised activations (QuantizeLinear/DequantizeLinear, " + std::to_string(pairs) +
                (pairs == 1 ? " pair" : " pairs") + ") cannot be trained: export the float model";
    throw Unsupported(graph.source + ": " + std::to_string(total) +
                      (total == 1 ? " unsupported operator: " : " unsupported operators: ") + list);
}

}  // namespace

struct Network::State {
    std::string source;
    std::vector<Value> inputs;
    std::vector<std::string> outputs;
    bool any_batch = false;  // input and output leave the number of images open: a batch may run in parts
    std::optional<std::string> features;
    std::string why_no_features;
    std::unordered_set<std::string> head_biases;

    Constants constants;
    std::vector<Parameter> parameters;  // the same tensors as in constants
    std::vector<Parameter> buffers;

    std::unordered_map<std::string, int> blocks;  // of every constant

    Programs programs;

    void read_constants(const Graph& graph);
    void check(const Value& input, const at::Tensor& given) const;
    std::vector<at::Tensor> run(std::span<const at::Tensor> given, std::span<const std::string> wanted,
                                const Mode& asked);
    std::vector<at::Tensor> run(Programs::Purpose purpose, std::span<const at::Tensor> given,
                                std::span<const std::string> wanted, const Pass& pass, bool checkpoints = false);
    std::vector<at::Tensor> infer(Programs::Purpose purpose, std::span<const at::Tensor> given,
                                  std::span<const std::string> wanted, const Pass& pass);
};

// The images that are run together on CPU, as pixels of the input.
constexpr std::int64_t pixels_at_once = 16 * 224 * 224;

bool is_symbolic(const Value& value) {
    return value.has_shape && !value.dims.empty() && std::holds_alternative<std::string>(value.dims[0]);
}

// Whether a single number that the node reads is a weight; elsewhere it is the exporter's setting.
bool reads_single_weights(const Node& node, const Op* op) {
    const auto among = [&](std::span<const Op> rows) { return op >= rows.data() && op < rows.data() + rows.size(); };
    return among(convolution_ops()) || among(linear_ops()) || among(normalisation_ops()) || node.op == "PRelu";
}

// In order of first use, so that parameters() runs from the input to the head.
void Network::State::read_constants(const Graph& graph) {
    std::unordered_set<std::string> seen;
    const std::int64_t opset = standard_opset(graph);
    std::unordered_map<std::string, std::uint32_t> roles;  // bit 0 trainable, bit 1 buffer, bit 2 convolution weight
    for (const Node& node : graph.nodes) {
        const Op* op = find_op(node.domain, node.op, opset);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const std::string& name = node.inputs[i];
            const auto found = graph.initializers.find(name);
            if (found == graph.initializers.end()) continue;
            if (seen.insert(name).second) {
                constants.tensors.push_back(to_torch(found->second));
                constants.names.push_back(name);
            }
            if (i < 32 && is_floating(found->second.dtype)) {
                if (found->second.count() != 1 || head_biases.contains(name) || reads_single_weights(node, op))
                    roles[name] |= (op->trainable >> i) & 1u;
                roles[name] |= ((op->buffers >> i) & 1u) << 1;
                if (node.op == "Conv" && i == 1 && found->second.dims.size() == 4) roles[name] |= 4u;
            }
        }
    }
    for (const Value& output : graph.outputs) {
        const auto found = graph.initializers.find(output.name);
        if (found == graph.initializers.end()) continue;
        if (!seen.insert(output.name).second) continue;
        constants.tensors.push_back(to_torch(found->second));
        constants.names.push_back(output.name);
    }
    for (std::size_t i = 0; i < constants.tensors.size(); ++i) {
        const std::uint32_t role = roles[constants.names[i]];
        at::Tensor& tensor = constants.tensors[i];
        if (role & 4u) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
        if (role & 1u) parameters.push_back({constants.names[i], tensor});
        else if (role & 2u) buffers.push_back({constants.names[i], tensor});
    }
    std::unordered_set<std::string> weights;
    for (const Parameter& parameter : parameters) weights.insert(parameter.name);
    blocks = find_blocks(graph, weights).of_constant;
    for (auto* list : {&parameters, &buffers})
        for (Parameter& each : *list) each.block = blocks[each.name];
}

void Network::State::check(const Value& input, const at::Tensor& given) const {
    const auto fails = [&](const std::string& what) {
        throw std::runtime_error(source + ": input '" + input.name + "' " + what);
    };
    if (!given.defined()) fails("is an empty tensor; give [n, channels, height, width]");
    if (!input.has_shape) return;
    const auto rank = static_cast<std::int64_t>(input.dims.size());
    if (given.dim() != rank)
        fails("needs " + std::to_string(rank) + " dimensions and was given " + std::to_string(given.dim()));
    for (std::int64_t axis = 0; axis < rank; ++axis) {
        const auto* size = std::get_if<std::int64_t>(&input.dims[static_cast<std::size_t>(axis)]);
        if (size && *size != given.size(axis))
            fails("needs " + std::to_string(*size) + " along axis " + std::to_string(axis) + " and was given " +
                  std::to_string(given.size(axis)));
    }
}

// On CPU a large batch runs in equal parts: activations over 32 MB would be mapped and zeroed anew by the
// system for every step (EfficientNetV2-B0 at 224 px: 160 images/s as 32 at once, 220 as 16).
std::vector<at::Tensor> Network::State::infer(Programs::Purpose purpose, std::span<const at::Tensor> given,
                                              std::span<const std::string> wanted, const Pass& pass) {
    const bool one_batch = any_batch && given.size() == 1 && wanted.size() == 1 && given[0].dim() == 4;
    const std::int64_t images = one_batch ? given[0].size(0) : 0;
    const std::int64_t pixels = images > 0 ? given[0].size(2) * given[0].size(3) : 0;
    const std::int64_t fit = std::max<std::int64_t>(1, pixels_at_once / std::max<std::int64_t>(1, pixels));
    if (images <= fit || !pass.device.is_cpu()) return run(purpose, given, wanted, pass);
    std::vector<at::Tensor> results;
    for (const at::Tensor& part : given[0].chunk((images + fit - 1) / fit))
        results.push_back(run(purpose, {&part, 1}, wanted, pass).front());
    return {at::cat(results)};
}

std::vector<at::Tensor> Network::State::run(Programs::Purpose purpose, std::span<const at::Tensor> given,
                                            std::span<const std::string> wanted, const Pass& pass, bool checkpoints) {
    const std::shared_ptr<const Program> program = programs.find(given, purpose, constants);
    std::vector<int> values;
    for (const std::string& name : wanted) values.push_back(program->plan.kept.at(name));
    if (!checkpoints) return run_plan(program->plan, source, program->constants, given, values, pass);
    const std::shared_ptr<const Plan> plan(program, &program->plan);  // a backward pass may outlive the network
    return run_checkpointed(plan, source, program->constants, given, values, pass);
}

std::vector<at::Tensor> Network::State::run(std::span<const at::Tensor> given, std::span<const std::string> wanted,
                                            const Mode& asked) {
    if (given.size() != inputs.size())
        throw std::runtime_error(source + ": has " + std::to_string(inputs.size()) + " inputs and was given " +
                                 std::to_string(given.size()) + "; an image classifier has one");
    bool gradients = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
        check(inputs[i], given[i]);
        gradients = gradients || given[i].requires_grad();
    }
    gradients = at::GradMode::is_enabled() &&
                (gradients || std::any_of(parameters.begin(), parameters.end(),
                                          [](const Parameter& p) { return p.tensor.requires_grad(); }));
    const auto channels_last = [&] {
        std::vector<at::Tensor> images;
        for (const at::Tensor& each : given)
            images.push_back(each.dim() == 4 ? each.contiguous(at::MemoryFormat::ChannelsLast) : each);
        return images;
    };
    // The fused steps of inference compute in float32 and don't drop.
    const bool fused = !gradients && !asked.training && !asked.autocast;
    const auto purpose = fused ? Programs::Purpose::inference : Programs::Purpose::gradients;
    Pass pass;
    pass.gradients = gradients || asked.training;
    pass.training = asked.training;
    pass.autocast = asked.autocast;
    if (asked.shared_batch) pass.shared_batch = &*asked.shared_batch;
    if (!given.empty()) pass.device = given[0].device();
    std::vector<at::Tensor> results;
    if (pass.gradients) {
        results = run(purpose, channels_last(), wanted, pass, gradients && asked.checkpoints);
    } else {
        {
            const c10::InferenceMode no_autograd;
            results = infer(purpose, channels_last(), wanted, pass);
        }
        // Copies made out here are ordinary tensors: a loss on these features may be differentiated.
        for (at::Tensor& result : results)
            if (result.defined()) result = result.clone();
    }
    if (asked.autocast)
        for (at::Tensor& result : results)
            if (result.defined() && result.scalar_type() == *asked.autocast) result = result.to(at::kFloat);
    return results;
}

Network::Network(Graph graph) : state_(std::make_unique<State>()) {
    const c10::InferenceMode ordinary_tensors(false);
    canonicalise(graph);
    refuse_unsupported(graph);
    fold_constants(graph);
    State& state = *state_;
    state.source = graph.source;
    state.inputs = graph.inputs;
    for (const Value& output : graph.outputs) state.outputs.push_back(output.name);
    state.any_batch = !graph.inputs.empty() && is_symbolic(graph.inputs[0]) && is_symbolic(graph.outputs[0]);
    try {
        for (const Head& head : find_heads(graph)) state.head_biases.insert(head.bias);
        state.features = find_features(graph);
    } catch (const std::runtime_error& error) {
        state.why_no_features = error.what();  // reported when features are asked for
    }
    state.read_constants(graph);
    Kept kept(state.outputs.begin(), state.outputs.end());
    if (state.features) kept.insert(*state.features);
    state.programs = Programs(std::move(graph), std::move(kept), state.constants);
}

Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

at::Tensor Network::forward(const at::Tensor& input) {
    return state_->run({&input, 1}, {state_->outputs.data(), 1}, mode).front();
}

std::vector<at::Tensor> Network::forward(const std::vector<at::Tensor>& inputs) {
    return state_->run(inputs, state_->outputs, mode);
}

at::Tensor Network::features(const at::Tensor& input) {
    if (!state_->features) throw std::runtime_error(state_->why_no_features);
    return state_->run({&input, 1}, {&*state_->features, 1}, mode).front();
}

std::span<Parameter> Network::parameters() { return state_->parameters; }
std::span<const Parameter> Network::parameters() const { return state_->parameters; }
std::span<const Parameter> Network::buffers() const { return state_->buffers; }

at::Tensor Network::parameter(const std::string& name) {
    for (const auto* list : {&state_->parameters, &state_->buffers})
        for (const Parameter& each : *list)
            if (each.name == name) return each.tensor;
    for (std::size_t i = 0; i < state_->constants.tensors.size(); ++i) {
        const at::Tensor& constant = state_->constants.tensors[i];
        if (state_->constants.names[i] != name || !at::isFloatingType(constant.scalar_type())) continue;
        state_->parameters.push_back({name, constant, state_->blocks[name]});
        state_->programs.set_learned(name);
        return constant;
    }
    throw std::runtime_error(state_->source + ": no floating constant '" + name +
                             "' is read; give the name of one of its initializers");
}

void Network::to(const at::Device& device) {
    const c10::InferenceMode ordinary_tensors(false);
    const at::NoGradGuard no_gradients;
    std::unordered_map<std::string, at::Tensor> moved;
    state_->programs.clear();
    for (std::size_t i = 0; i < state_->constants.tensors.size(); ++i) {
        at::Tensor& constant = state_->constants.tensors[i];
        const bool trained = constant.requires_grad();
        constant = constant.detach().to(device);
        if (trained) constant.requires_grad_(true);
        moved[state_->constants.names[i]] = constant;
    }
    for (Parameter& parameter : state_->parameters) parameter.tensor = moved.at(parameter.name);
    for (Parameter& buffer : state_->buffers) buffer.tensor = moved.at(buffer.name);
}

void Network::store_parameters(Graph& graph) const {
    for (const auto* list : {&state_->parameters, &state_->buffers}) {
        for (const Parameter& parameter : *list) {
            const auto found = graph.initializers.find(parameter.name);
            if (found == graph.initializers.end() || parameter.tensor.sizes() != at::IntArrayRef(found->second.dims))
                fail(graph, "has no initializer '" + parameter.name +
                                "' of this network's size; store into the canonical graph it was made from");
            Tensor& initializer = found->second;
            const at::Tensor values =
                parameter.tensor.detach().to(at::kCPU, scalar_type(initializer.dtype)).contiguous();
            std::memcpy(initializer.bytes.data(), values.const_data_ptr(), initializer.bytes.size());
        }
    }
}

}  // namespace ouaf::graph
