// ouaf import NETWORK.onnx: makes a model bundle of a network that came from elsewhere, to predict with and to train
// from.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/files/files.hpp"
#include "native/graph/classifier_form.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/opset.hpp"
#include "native/graph/quantise.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string network;
    std::string description;
    std::string classes;
    std::string out;
    bool float32 = false;
};

// "id", "id<TAB>name" or "id<TAB>name<TAB>French name" a line, in the order of the outputs.
std::vector<ClassLabel> read_classes(const std::string& path) {
    std::istringstream lines(read_text(path));
    std::vector<ClassLabel> classes;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        std::istringstream fields(line);
        std::string id, english, french;
        std::getline(fields, id, '\t');
        std::getline(fields, english, '\t');
        std::getline(fields, french);
        classes.push_back({id, {{"en", english.empty() ? id : english}}});
        if (!french.empty()) classes.back().name["fr"] = french;
    }
    return classes;
}

// The description that lies beside a backbone: architecture, licence, input {size, mean, std}, resize {filter,
// crop_fraction}.
void read_description(Bundle& bundle, const std::string& path) {
    try {
        const nlohmann::json json = nlohmann::json::parse(read_text(path));
        bundle.architecture = json.at("architecture");
        bundle.licence = json.at("licence");
        const auto& input = json.at("input");
        PreprocessSpec& spec = bundle.preprocess;
        spec.size = input.at("size");
        spec.mean = input.at("mean");
        spec.std = input.at("std");
        spec.resize = static_cast<int>(std::lround(spec.size / json.at("resize").at("crop_fraction").get<double>()));
        spec.filter = json.at("resize").at("filter") == "bicubic" ? Filter::cubic : Filter::linear;
    } catch (const nlohmann::json::exception& error) {
        throw std::runtime_error(path + ": " + error.what());
    }
}

void run(const Options& options) {
    Model model;
    model.graph = graph::load_onnx(options.network);
    const std::vector<std::string> changes = graph::to_classifier_form(model.graph);
    model.bundle.name = std::filesystem::path(options.out).filename().string();
    model.bundle.classes = read_classes(options.classes);
    read_description(model.bundle, options.description.empty()
                                       ? std::filesystem::path(options.network).replace_extension(".json").string()
                                       : options.description);
    model.bundle.input_name = model.graph.inputs.at(0).name;
    model.bundle.logits_name = model.graph.outputs.at(0).name;
    if (!options.float32) {
        if (graph::standard_opset(model.graph) < graph::oldest_target_opset)
            graph::move_near_opset(model.graph, graph::oldest_target_opset);
        graph::quantise_weights(model.graph);
    }
    save_model(options.out, model);
    std::printf("model bundle: %s\n", options.out.c_str());
    for (const std::string& change : changes) std::printf("the network was changed: %s\n", change.c_str());
}

}  // namespace

void add_import(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("import", "Make a model bundle of an ONNX classification network");
    command->add_option("network", options->network, "an ONNX file")->required();
    command->add_option("--description", options->description,
                        "a JSON file with its preprocessing (default: beside the network)");
    command
        ->add_option("--classes", options->classes,
                     "a file with an id a line, and after tabs its name in English and in French")
        ->required();
    command->add_option("--out", options->out, "the bundle's folder")->required();
    command->add_flag("--float32", options->float32,
                      "keep the weights as float32 (default: int8, a quarter of the size)");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
