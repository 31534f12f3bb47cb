// ouaf export SOURCE --out FILE.onnx: the network as one ONNX file for others to run, written once ONNX Runtime has
// given the same answers as LibTorch.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/files/files.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/export.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/half_precision.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/torch_tensor.hpp"
#include "native/onnxruntime/session.hpp"
#include "shared/bundle/golden.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf::commands {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string source;
    std::string out;
    graph::WeightStorage weights = graph::WeightStorage::float32;
    bool keep_batch_norms = false;
    std::optional<std::int64_t> opset;
    std::vector<std::string> photos;
};

struct Source {
    graph::Graph graph;
    std::optional<Bundle> bundle;
};

// A bundle's folder, a run's folder with its bundle, or an ONNX file.
Source open_source(const fs::path& path) {
    if (!fs::is_directory(path)) return {graph::load_onnx(path.string()), std::nullopt};
    const bool is_run = !fs::exists(path / "model.json") && fs::exists(path / "model" / "model.json");
    Model model = load_model(is_run ? path / "model" : path);
    return {std::move(model.graph), std::move(model.bundle)};
}

graph::Tensor prepared(const PreprocessSpec& spec, const std::vector<std::uint8_t>& photo) {
    std::vector<float> values(tensor_size(spec));
    preprocess(photo, spec, values);
    return graph::make_tensor({1, 3, spec.size, spec.size}, std::span<const float>(values));
}

// Normal noise, as normalised photos have it, in the input's size; one image, and 224 pixels where the size is open.
graph::Tensor noise_for(const graph::Value& input) {
    graph::Dims dims{1, 3, 224, 224};
    if (input.has_shape) {
        const auto size = [&](std::size_t axis, std::int64_t otherwise) {
            const auto* known = std::get_if<std::int64_t>(&input.dims[axis]);
            return known ? *known : otherwise;
        };
        const bool images = input.dims.size() == 4;
        const bool channels_last = images && size(3, 0) >= 1 && size(3, 0) <= 4;
        dims.clear();
        for (std::size_t axis = 0; axis < input.dims.size(); ++axis)
            dims.push_back(size(axis, axis == 0 ? 1 : images && axis == 1 && !channels_last ? 3 : 224));
    }
    at::manual_seed(1);
    return graph::from_torch(at::randn(dims));
}

std::vector<graph::Tensor> inputs_for(const Source& source, const std::vector<std::string>& photos) {
    if (!source.bundle) {
        if (!photos.empty())
            throw std::runtime_error(source.graph.source +
                                     ": an ONNX file alone doesn't say how to prepare a photo; give a bundle's folder, "
                                     "or leave --photo out");
        return {noise_for(source.graph.inputs[0])};
    }
    const PreprocessSpec& spec = source.bundle->preprocess;
    if (photos.empty()) return {prepared(spec, golden_picture(source.bundle->golden))};
    std::vector<graph::Tensor> inputs;
    for (const std::string& photo : photos) {
        try {
            inputs.push_back(prepared(spec, read_file(photo)));
        } catch (const PhotoError& error) {
            throw std::runtime_error(photo + ": " + error.what());
        }
    }
    return inputs;
}

using Answers = std::vector<std::vector<float>>;  // every output of every input, in order

Answers by_libtorch(const graph::Graph& graph, const std::vector<graph::Tensor>& inputs) {
    const c10::InferenceMode inference;
    graph::Network network(graph);
    Answers answers;
    for (const graph::Tensor& input : inputs)
        for (const at::Tensor& output : network.forward(std::vector<at::Tensor>{graph::to_torch(input)})) {
            const at::Tensor values = output.contiguous();
            answers.emplace_back(values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel());
        }
    return answers;
}

Answers by_onnxruntime(const graph::Graph& graph, const std::vector<graph::Tensor>& inputs) {
    onnxruntime::Session session(graph::serialise_onnx(graph));
    std::vector<std::string> names;
    for (const graph::Value& output : graph.outputs) names.push_back(output.name);
    Answers answers;
    for (const graph::Tensor& input : inputs)
        for (onnxruntime::Output& output : session.run({graph.inputs[0].name}, {&input}, names))
            answers.push_back(std::move(output.values));
    return answers;
}

double largest_difference(const Answers& a, const Answers& b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        largest = std::max(largest, onnxruntime::relative_difference(a[i], b[i]));
    return largest;
}

// Two libraries' float32 sums through a hundred layers differ by 1e-6 to 1e-5 of the largest logit; a wrong padding,
// epsilon or axis moves it by more than a thousandth.
constexpr double tolerance = 1e-4;

double checked(const std::string& source, const Answers& libtorch, const Answers& onnxruntime) {
    for (const std::vector<float>& answer : libtorch)
        if (!std::all_of(answer.begin(), answer.end(), [](float value) { return std::isfinite(value); }))
            throw std::runtime_error(source + ": an answer of the network is not a finite number; nothing was written");
    const double difference = largest_difference(onnxruntime, libtorch);
    if (difference <= tolerance) return difference;
    char text[64];
    std::snprintf(text, sizeof text, "%.2g (%.0e is allowed)", difference, tolerance);
    throw std::runtime_error(source + ": ONNX Runtime's answers to the exported network differ from LibTorch's by " +
                             text + " of the largest; nothing was written");
}

void run(const Options& options) {
    Source source = open_source(options.source);
    graph::Graph& graph = source.graph;
    graph::canonicalise(graph);
    graph::compute_in_float32(graph);
    graph::cast_like_to_cast(graph);
    graph::fold_constants(graph);
    if (graph.inputs.size() != 1)
        throw std::runtime_error(graph.source + ": has " + std::to_string(graph.inputs.size()) +
                                 " inputs; an image classifier has one");
    const std::vector<graph::Tensor> inputs = inputs_for(source, options.photos);
    const Answers answers = by_libtorch(graph, inputs);

    const graph::Exported exported = graph::export_graph(
        graph, {.weights = options.weights, .fold_batch_norms = !options.keep_batch_norms, .opset = options.opset});
    const bool as_float32 = options.weights == graph::WeightStorage::float32;
    const Answers written = by_onnxruntime(exported.graph, inputs);
    double difference = 0;
    std::string stored;
    if (as_float32) {
        difference = checked(graph.source, answers, written);
    } else {  // the graph by itself, and then the stored weights, each as both libraries read them
        const Answers before = by_onnxruntime(exported.with_float32, inputs);
        difference = std::max(checked(graph.source, answers, before),
                              checked(graph.source, by_libtorch(exported.graph, inputs), written));
        char text[64];
        std::snprintf(text, sizeof text, "; the stored weights move the answers by %.2g",
                      largest_difference(written, before));
        stored = text;
    }
    graph::save_onnx(exported.graph, options.out);
    std::printf("%s: %s bytes, %s; largest difference to ONNX Runtime %.2g%s\n", options.out.c_str(),
                grouped(fs::file_size(options.out)).c_str(), exported.done.c_str(), difference, stored.c_str());
}

}  // namespace

void add_export(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("export", "Write a network as one ONNX file, checked with ONNX Runtime");
    command->add_option("source", options->source, "a model bundle's folder, a run's folder or an ONNX file")
        ->required();
    command->add_option("--out", options->out, "the ONNX file to write")->required();
    const std::map<std::string, graph::WeightStorage> storages{{"float32", graph::WeightStorage::float32},
                                                               {"float16", graph::WeightStorage::float16},
                                                               {"int8", graph::WeightStorage::int8}};
    command->add_option("--weights", options->weights, "how weights are stored: float32 (the default), float16 or int8")
        ->transform(CLI::CheckedTransformer(storages).description(""));
    command->add_flag("--keep-batch-norms", options->keep_batch_norms,
                      "leave batch norms as they are (default: folded into the layers before them)");
    command->add_option("--opset", options->opset, "of the file (default: 17, or the nearest that holds the network)");
    command->add_option("--photo", options->photos,
                        "photos to check a bundle's answers with (default: the bundle's own picture)");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
