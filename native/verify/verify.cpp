// See verify.hpp.
#include "native/verify/verify.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "native/graph/canonicalise.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::verify {
namespace {

namespace fs = std::filesystem;
using graph::NamedTensor;

// input_0.pb, input_1.pb, … until one is missing.
std::vector<NamedTensor> read_series(const fs::path& folder, const std::string& stem) {
    std::vector<NamedTensor> series;
    for (;;) {
        const fs::path path = folder / (stem + "_" + std::to_string(series.size()) + ".pb");
        if (!fs::exists(path)) return series;
        series.push_back(graph::load_tensor(path.string()));
    }
}

// By name where the files give the graph's names, else by place. There is a file for each declared input, or only for
// those that the network reads.
std::vector<at::Tensor> in_order(const std::vector<NamedTensor>& given, const std::vector<graph::Value>& declared,
                                 const std::vector<graph::Value>& read, const std::string& folder) {
    const auto& places = given.size() == declared.size() ? declared : read;
    if (given.size() != places.size())
        throw std::runtime_error(folder + ": holds " + std::to_string(given.size()) + " inputs where the model has " +
                                 std::to_string(read.size()) + "; make the test data again");
    std::vector<at::Tensor> ordered;
    for (const graph::Value& wanted : read) {
        const auto is_wanted = [&](const auto& each) { return each.name == wanted.name; };
        const auto named = std::find_if(given.begin(), given.end(), is_wanted);
        const auto place = std::find_if(places.begin(), places.end(), is_wanted) - places.begin();
        const NamedTensor& found = named != given.end() ? *named : given.at(static_cast<std::size_t>(place));
        ordered.push_back(graph::to_torch(found.tensor));
    }
    return ordered;
}

std::string sizes_text(at::IntArrayRef sizes) {
    std::string text = "[";
    for (const std::int64_t size : sizes) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
}

std::string number_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

double length_of(const at::Tensor& x) { return x.to(at::kDouble).norm().item<double>(); }

double relative_difference(const at::Tensor& ours, const at::Tensor& reference) {
    const double difference = length_of(ours.to(at::kDouble) - reference.to(at::kDouble));
    const double size = length_of(reference);
    return size > 0 ? difference / size : difference;
}

// What is recorded beside the network.
struct Recorded {
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;
    at::Tensor target;  // int64 classes; undefined where nothing is to be differentiated
    std::optional<double> loss;
    std::map<std::string, at::Tensor> gradients;
};

// What a network reads and gives.
struct Signature {
    std::vector<graph::Value> declared;  // all inputs of the file
    std::vector<graph::Value> inputs;    // those that are read
    std::vector<graph::Value> outputs;
};

Recorded read(const std::string& data, const Signature& signature) {
    Recorded recorded;
    for (const NamedTensor& output : read_series(data, "output"))
        recorded.outputs.push_back(graph::to_torch(output.tensor));
    if (recorded.outputs.empty())
        throw std::runtime_error(data + ": holds no output_0.pb; give a folder of ONNX test data");
    recorded.inputs = in_order(read_series(data, "input"), signature.declared, signature.inputs, data);
    if (recorded.outputs.size() != signature.outputs.size())
        throw std::runtime_error(data + ": holds " + std::to_string(recorded.outputs.size()) +
                                 " outputs where the model has " + std::to_string(signature.outputs.size()) +
                                 "; make the test data again");
    const auto target = read_series(data, "target");
    if (target.empty()) return recorded;
    recorded.target = graph::to_torch(target[0].tensor).reshape(-1);
    const auto loss = read_series(data, "loss");
    if (!loss.empty()) recorded.loss = graph::to_torch(loss[0].tensor).to(at::kDouble).item<double>();
    for (const NamedTensor& gradient : read_series(data, "gradient"))
        recorded.gradients[gradient.name] = graph::to_torch(gradient.tensor);
    return recorded;
}

// What the network makes of the recorded inputs.
struct Results {
    std::vector<at::Tensor> outputs;
    double loss = 0;
    std::map<std::string, at::Tensor> gradients;  // those that are recorded; undefined where there is none
};

Results compute(graph::Network& network, const Recorded& recorded) {
    Results results{network.forward(recorded.inputs), 0, {}};
    if (!recorded.target.defined()) return results;
    std::map<std::string, at::Tensor> trained;
    for (const auto& [name, gradient] : recorded.gradients) trained[name] = network.parameter(name);
    for (auto& [name, tensor] : trained) tensor.requires_grad_(true).mutable_grad().reset();
    const at::Tensor loss = at::cross_entropy_loss(network.forward(recorded.inputs).at(0), recorded.target);
    results.loss = loss.item<double>();
    if (!trained.empty()) loss.backward();
    for (auto& [name, tensor] : trained) {
        results.gradients[name] = tensor.grad();
        tensor.requires_grad_(false).mutable_grad().reset();
    }
    return results;
}

// How far results move when each weight moves by its last two bits, relative by norm: no two ways to compute a network
// agree better. Where a unit is about to switch (ReLU), a gradient moves by much more than the loss does.
struct Rounding {
    std::vector<double> outputs;
    double loss = 0;
    std::map<std::string, double> gradients;
};

// Moves the weights once and widens `rounding` by what comes of it; the weights are what they were afterwards.
void measure_rounding(graph::Network& network, const Recorded& recorded, const Results& results, Rounding& rounding) {
    const auto last_bits = [](const at::Tensor& weights) {  // two, relative: sums of a thousand products round by more
        return 4 * (weights.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon()
                                                         : std::numeric_limits<float>::epsilon());
    };
    rounding.outputs.resize(results.outputs.size());
    std::vector<at::Tensor> before;
    for (graph::Parameter& parameter : network.parameters()) {
        before.push_back(parameter.tensor.clone());
        parameter.tensor.mul_(1 + last_bits(parameter.tensor) * (2 * at::rand_like(parameter.tensor) - 1));
    }
    const Results moved = compute(network, recorded);
    for (std::size_t i = 0; i < before.size(); ++i) network.parameters()[i].tensor.copy_(before[i]);
    const auto widen = [](double& bound, double by) { bound = std::max(bound, by); };
    for (std::size_t i = 0; i < moved.outputs.size(); ++i)
        widen(rounding.outputs[i], relative_difference(moved.outputs[i], results.outputs[i]));
    widen(rounding.loss, std::abs(moved.loss - results.loss));
    for (const auto& [name, gradient] : moved.gradients)
        if (gradient.defined())
            widen(rounding.gradients[name], relative_difference(gradient, results.gradients.at(name)));
}

// Twice what one rounding moved: ours and the reference's are two. Never more than a fifth.
double allowed(double rounding) { return std::min(2 * rounding, 0.2); }

// What is wrong with an output, or nothing. whole: the difference by norm that is small enough; 0 where each value
// counts.
std::optional<std::string> output_error(const std::string& what, const at::Tensor& ours, const at::Tensor& reference,
                                        double whole) {
    if (!ours.defined()) return what + " was not computed";
    if (ours.sizes() != reference.sizes())
        return what + " is " + sizes_text(ours.sizes()) + " and should be " + sizes_text(reference.sizes());
    if (ours.scalar_type() != reference.scalar_type())
        return what + " is " + at::toString(ours.scalar_type()) + " and should be " +
               at::toString(reference.scalar_type());
    if (reference.numel() == 0) return std::nullopt;
    const bool floating = at::isFloatingType(reference.scalar_type());
    const auto type = floating ? at::kDouble : at::kLong;
    const at::Tensor a = ours.to(type).contiguous().reshape(-1);
    const at::Tensor b = reference.to(type).contiguous().reshape(-1);
    at::Tensor agree = a == b;
    if (floating) {
        const auto stored = reference.scalar_type();
        const double relative = stored == at::kBFloat16 ? 1.0 / 64 : stored == at::kHalf ? 1.0 / 512 : 1e-3;
        agree =
            agree.logical_or((a - b).abs() <= b.abs() * relative + 1e-7).logical_or(a.isnan().logical_and(b.isnan()));
    }
    if (agree.all().item<bool>()) return std::nullopt;
    if (floating && whole > 0 && relative_difference(a, b) <= whole) return std::nullopt;
    const at::Tensor distance = (a - b).abs().to(at::kDouble).nan_to_num(INFINITY, INFINITY).masked_fill(agree, -1);
    const std::int64_t worst = distance.argmax().item<std::int64_t>();
    const std::int64_t wrong = agree.logical_not().sum().item<std::int64_t>();
    return what + " differs in " + std::to_string(wrong) + " of " + std::to_string(a.numel()) + " values, most at " +
           std::to_string(worst) + ": " + number_text(a[worst].item<double>()) + " where " +
           number_text(b[worst].item<double>()) + " should be";
}

std::optional<std::string> gradient_error(const Results& results, const Recorded& recorded, const Rounding& rounding) {
    double largest = 0;
    for (const auto& [name, expected] : recorded.gradients) largest = std::max(largest, length_of(expected));
    std::string worst;
    double worst_difference = 0;
    for (const auto& [name, expected] : recorded.gradients) {
        const at::Tensor& gradient = results.gradients.at(name);
        if (!gradient.defined()) return "'" + name + "' has no gradient";
        if (gradient.sizes() != expected.sizes())
            return "the gradient of '" + name + "' is " + sizes_text(gradient.sizes()) + " and should be " +
                   sizes_text(expected.sizes());
        if (length_of(gradient.to(at::kDouble) - expected.to(at::kDouble)) <= 1e-6 * largest) continue;
        const double difference = relative_difference(gradient, expected);
        const auto noise = rounding.gradients.find(name);
        const double bound = std::max(1e-3, noise == rounding.gradients.end() ? 0 : allowed(noise->second));
        if (difference <= std::max(worst_difference, bound)) continue;
        worst_difference = difference;
        worst = name;
    }
    if (worst.empty()) return std::nullopt;
    return "the gradient of '" + worst + "' differs by " + number_text(worst_difference) + " of its norm";
}

std::optional<std::string> difference(const Results& results, const Recorded& recorded,
                                      const std::vector<graph::Value>& outputs, bool has_weights,
                                      const Rounding& rounding) {
    for (std::size_t i = 0; i < results.outputs.size(); ++i) {
        const double noise = i < rounding.outputs.size() ? allowed(rounding.outputs[i]) : 0;
        const auto error = output_error("output '" + outputs[i].name + "'", results.outputs[i], recorded.outputs[i],
                                        has_weights ? std::max(1e-4, noise) : 0);
        if (error) return error;
    }
    if (recorded.loss) {
        const double bound = std::max(1e-4 * std::max(1.0, std::abs(*recorded.loss)), allowed(rounding.loss));
        if (!(std::abs(results.loss - *recorded.loss) <= bound))
            return "the loss is " + number_text(results.loss) + " and should be " + number_text(*recorded.loss);
    }
    return gradient_error(results, recorded, rounding);
}

// Steps of SGD in training mode, where the data holds their losses.
std::optional<std::string> steps_error(graph::Network& network, const Recorded& recorded, const std::string& data) {
    const auto losses = read_series(data, "losses");
    if (losses.empty()) return std::nullopt;
    const auto sgd = read_series(data, "sgd");
    if (!recorded.target.defined() || sgd.empty() || sgd[0].tensor.count() != 2)
        throw std::runtime_error(data + ": losses_0.pb needs target_0.pb and sgd_0.pb, [learning rate, momentum]");
    // Not as float32: such rounding of a rate grows a hundred thousandfold within ten steps of a deep network.
    const at::Tensor settings = graph::to_torch(sgd[0].tensor).to(at::kDouble);
    const auto rate = settings[0].item<double>();
    const auto momentum = settings[1].item<double>();
    std::vector<at::Tensor> velocities;
    for (graph::Parameter& parameter : network.parameters()) {
        parameter.tensor.requires_grad_(true);
        velocities.push_back(at::zeros_like(parameter.tensor));
    }
    network.mode.training = true;
    const std::vector<float> expected = graph::to_floats(losses[0].tensor);
    for (std::size_t step = 0; step < expected.size(); ++step) {
        const at::Tensor loss = at::cross_entropy_loss(network.forward(recorded.inputs).at(0), recorded.target);
        const auto value = loss.item<double>();
        if (!(std::abs(value - expected[step]) <= 1e-3 * std::max(1.0f, std::abs(expected[step]))))
            return "in training the loss of step " + std::to_string(step + 1) + " is " + number_text(value) +
                   " and should be " + number_text(expected[step]);
        loss.backward();
        const at::NoGradGuard no_gradients;
        std::size_t next = 0;
        for (graph::Parameter& parameter : network.parameters()) {
            at::Tensor& velocity = velocities[next++];
            if (!parameter.tensor.grad().defined()) continue;
            velocity.mul_(momentum).add_(parameter.tensor.grad());
            parameter.tensor.sub_(velocity, rate);
            parameter.tensor.mutable_grad().reset();
        }
    }
    const auto statistics = read_series(data, "statistics");
    double largest = 0;
    for (const NamedTensor& each : statistics) largest = std::max(largest, length_of(graph::to_torch(each.tensor)));
    for (const NamedTensor& each : statistics) {
        const at::Tensor reference = graph::to_torch(each.tensor);
        const at::Tensor ours = network.parameter(each.name);
        if (length_of(ours.to(at::kDouble) - reference.to(at::kDouble)) <= 1e-6 * largest) continue;
        const double difference = relative_difference(ours, reference);
        if (!(difference <= 1e-3))
            return "after training '" + each.name + "' differs by " + number_text(difference) + " of its norm";
    }
    return std::nullopt;
}

std::optional<std::string> first_error(const std::string& model, const std::string& data) {
    graph::Graph graph = graph::load_onnx(model);
    Signature signature{graph.inputs, {}, {}};
    graph::canonicalise(graph);
    signature.inputs = graph.inputs;
    signature.outputs = graph.outputs;
    graph::Network network(std::move(graph));
    const Recorded recorded = read(data, signature);
    const bool has_weights = !network.parameters().empty();
    const Results results = compute(network, recorded);
    auto error = difference(results, recorded, signature.outputs, has_weights, {});
    Rounding rounding;
    constexpr int trials = 32;  // a unit that is about to switch does so in one trial of ten or so
    for (int trial = 0; error && has_weights && trial < trials; ++trial) {
        measure_rounding(network, recorded, results, rounding);
        error = difference(results, recorded, signature.outputs, true, rounding);
    }
    return error ? error : steps_error(network, recorded, data);
}

}  // namespace

Verification verify(const std::string& model, const std::string& data) {
    try {
        if (const auto error = first_error(model, data)) return {Verdict::wrong, *error};
        return {};
    } catch (const graph::Unsupported& error) {
        return {Verdict::unsupported, std::string("unsupported: ") + error.what()};
    } catch (const std::exception& error) {
        const std::string what = error.what();
        return {Verdict::wrong, what.substr(0, what.find('\n'))};
    }
}

Verification verify_folder(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> sets;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().filename().string().starts_with("test_data_set_")) sets.push_back(entry.path().string());
    if (sets.empty()) return {Verdict::wrong, folder + ": holds no test_data_set_0; give a folder of ONNX test data"};
    std::sort(sets.begin(), sets.end());
    for (const std::string& set : sets) {
        const Verification result = verify((fs::path(folder) / "model.onnx").string(), set);
        if (result.verdict != Verdict::ok) return result;
    }
    return {};
}

}  // namespace ouaf::verify
