// See verify.hpp.
#include "native/verify/verify.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
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

// What is wrong with an output, or nothing.
std::optional<std::string> output_error(const std::string& what, const at::Tensor& ours, const at::Tensor& reference,
                                        bool as_a_whole) {
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
    if (floating && as_a_whole && relative_difference(a, b) <= 1e-4) return std::nullopt;
    const at::Tensor distance = (a - b).abs().to(at::kDouble).nan_to_num(INFINITY, INFINITY).masked_fill(agree, -1);
    const std::int64_t worst = distance.argmax().item<std::int64_t>();
    const std::int64_t wrong = agree.logical_not().sum().item<std::int64_t>();
    return what + " differs in " + std::to_string(wrong) + " of " + std::to_string(a.numel()) + " values, most at " +
           std::to_string(worst) + ": " + number_text(a[worst].item<double>()) + " where " +
           number_text(b[worst].item<double>()) + " should be";
}

// The loss and the gradients, where the data holds a target.
std::optional<std::string> training_error(graph::Network& network, const std::vector<at::Tensor>& inputs,
                                          const std::string& data) {
    const auto target = read_series(data, "target");
    if (target.empty()) return std::nullopt;
    const auto references = read_series(data, "gradient");
    std::map<std::string, at::Tensor> trained;
    for (const NamedTensor& reference : references) trained[reference.name] = network.parameter(reference.name);
    for (auto& [name, tensor] : trained) tensor.requires_grad_(true);
    const at::Tensor logits = network.forward(inputs).at(0);
    const at::Tensor loss = at::cross_entropy_loss(logits, graph::to_torch(target[0].tensor).reshape(-1));
    for (const NamedTensor& reference : read_series(data, "loss")) {
        const auto expected = graph::to_torch(reference.tensor).to(at::kDouble).item<double>();
        const auto value = loss.item<double>();
        if (!(std::abs(value - expected) <= 1e-4 * std::max(1.0, std::abs(expected))))
            return "the loss is " + number_text(value) + " and should be " + number_text(expected);
    }
    if (references.empty()) return std::nullopt;
    loss.backward();
    double largest = 0;
    for (const NamedTensor& reference : references)
        largest = std::max(largest, length_of(graph::to_torch(reference.tensor)));
    std::string worst;
    double worst_difference = 0;
    for (const NamedTensor& reference : references) {
        const at::Tensor expected = graph::to_torch(reference.tensor);
        const at::Tensor gradient = trained.at(reference.name).grad();
        if (!gradient.defined()) return "'" + reference.name + "' has no gradient";
        if (gradient.sizes() != expected.sizes())
            return "the gradient of '" + reference.name + "' is " + sizes_text(gradient.sizes()) + " and should be " +
                   sizes_text(expected.sizes());
        if (length_of(gradient.to(at::kDouble) - expected.to(at::kDouble)) <= 1e-6 * largest) continue;
        const double difference = relative_difference(gradient, expected);
        if (difference <= worst_difference) continue;
        worst_difference = difference;
        worst = reference.name;
    }
    if (worst_difference <= 1e-3) return std::nullopt;
    return "the gradient of '" + worst + "' differs by " + number_text(worst_difference) + " of its norm";
}

// Steps of SGD in training mode, where the data holds their losses.
std::optional<std::string> steps_error(graph::Network& network, const std::vector<at::Tensor>& inputs,
                                       const std::string& data) {
    const auto losses = read_series(data, "losses");
    if (losses.empty()) return std::nullopt;
    const auto target = read_series(data, "target");
    const auto sgd = read_series(data, "sgd");
    if (target.empty() || sgd.empty() || sgd[0].tensor.count() != 2)
        throw std::runtime_error(data + ": losses_0.pb needs target_0.pb and sgd_0.pb, [learning rate, momentum]");
    const std::vector<float> settings = graph::to_floats(sgd[0].tensor);
    const at::Tensor classes = graph::to_torch(target[0].tensor).reshape(-1);
    std::vector<at::Tensor> velocities;
    for (graph::Parameter& parameter : network.parameters()) {
        parameter.tensor.requires_grad_(true).mutable_grad().reset();
        velocities.push_back(at::zeros_like(parameter.tensor));
    }
    network.mode.training = true;
    const std::vector<float> expected = graph::to_floats(losses[0].tensor);
    for (std::size_t step = 0; step < expected.size(); ++step) {
        const at::Tensor loss = at::cross_entropy_loss(network.forward(inputs).at(0), classes);
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
            velocity.mul_(settings[1]).add_(parameter.tensor.grad());
            parameter.tensor.sub_(velocity, settings[0]);
            parameter.tensor.mutable_grad().reset();
        }
    }
    for (const NamedTensor& reference : read_series(data, "statistics")) {
        const double difference =
            relative_difference(network.parameter(reference.name), graph::to_torch(reference.tensor));
        if (!(difference <= 1e-3))
            return "after training '" + reference.name + "' differs by " + number_text(difference) + " of its norm";
    }
    return std::nullopt;
}

std::optional<std::string> first_error(const std::string& model, const std::string& data) {
    graph::Graph loaded = graph::load_onnx(model);
    const std::vector<graph::Value> declared = loaded.inputs;
    graph::canonicalise(loaded);
    const auto expected = read_series(data, "output");
    if (expected.empty()) throw std::runtime_error(data + ": holds no output_0.pb; give a folder of ONNX test data");
    graph::Network network(loaded);
    const auto inputs = in_order(read_series(data, "input"), declared, loaded.inputs, data);
    const auto outputs = network.forward(inputs);
    if (outputs.size() != expected.size())
        throw std::runtime_error(data + ": holds " + std::to_string(expected.size()) + " outputs where the model has " +
                                 std::to_string(outputs.size()) + "; make the test data again");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto error = output_error("output '" + loaded.outputs[i].name + "'", outputs[i],
                                        graph::to_torch(expected[i].tensor), !network.parameters().empty());
        if (error) return error;
    }
    if (const auto error = training_error(network, inputs, data)) return error;
    return steps_error(network, inputs, data);
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
