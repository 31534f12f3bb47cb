// ouaf blend RUN… --out FOLDER: one network from several of the same form, as the weighted mean of their weights;
// written as a run writes what came out.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/data/partition.hpp"
#include "native/evaluate/inference.hpp"
#include "native/graph/blend.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/export.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/rounding.hpp"

namespace ouaf::commands {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::vector<std::string> sources;
    std::vector<double> shares;
    std::string data;
    double bits = 8;
    std::string out;
};

// A run with its weights in float32, or a bundle.
Model open(const fs::path& source) {
    const bool is_run = !fs::exists(source / "model.json") && fs::exists(source / "model.onnx");
    Model model = load_model(is_run ? source / "model" : source);
    if (is_run) model.graph = graph::load_onnx((source / "model.onnx").string());
    graph::canonicalise(model.graph);
    graph::fold_constants(model.graph);
    return model;
}

void check_classes(const Bundle& first, const Bundle& other, const std::string& source) {
    const auto same = [](const ClassLabel& a, const ClassLabel& b) { return a.id == b.id; };
    if (!std::equal(first.classes.begin(), first.classes.end(), other.classes.begin(), other.classes.end(), same))
        throw std::runtime_error(source + ": its classes are not those of the first; blend networks of one data set");
}

// Of the training split.
at::Tensor photos_of(const fs::path& data, const PreprocessSpec& spec) {
    DataRecipe recipe;
    recipe.root = data;
    at::Tensor photos = prepared_photos(spec, open_partition(recipe).train.samples, graph::rounding_images);
    if (photos.size(0) == 0) throw std::runtime_error(data.string() + ": none of its photos can be read");
    return photos;
}

void run(Options options) {
    if (options.shares.empty())
        options.shares.assign(options.sources.size(), 1.0 / static_cast<double>(options.sources.size()));
    if (options.shares.size() != options.sources.size())
        throw std::runtime_error("--shares: " + std::to_string(options.shares.size()) + " numbers for " +
                                 std::to_string(options.sources.size()) + " networks; give each one its share");
    const double sum = std::accumulate(options.shares.begin(), options.shares.end(), 0.0);
    if (std::abs(sum - 1) > 1e-6) throw std::runtime_error("--shares: their sum is not 1");
    std::vector<Model> models;
    std::vector<graph::Graph> graphs;
    for (const std::string& source : options.sources) {
        models.push_back(open(source));
        check_classes(models[0].bundle, models.back().bundle, source);
        graphs.push_back(std::move(models.back().graph));
    }
    Model blended{std::move(models[0].bundle), graph::blend(graphs, options.shares)};
    blended.bundle.metrics.clear();  // were the first one's
    blended.bundle.none_below.reset();
    blended.bundle.unsure_below = 0;
    const fs::path out = options.out;
    fs::create_directories(out);
    graph::save_onnx(blended.graph, (out / "model.onnx").string());
    blended.graph =
        options.data.empty()
            ? graph::export_graph(blended.graph, {.weights = graph::WeightStorage::int8}).graph
            : graph::export_rounded(blended.graph, photos_of(options.data, blended.bundle.preprocess), options.bits);
    save_model(out / "model", std::move(blended));
    std::printf("%s: the mean of %zu networks, in float32 and as an int8 bundle\n", (out / "model").c_str(),
                options.sources.size());
}

}  // namespace

void add_blend(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand(
        "blend", "Make one network of several that began from the same, by the mean of their weights");
    command->add_option("sources", options->sources, "runs, or bundles; one alone is written anew")
        ->required()
        ->expected(1, 1000);
    command->add_option("--shares", options->shares, "a number for each, their sum 1; equal ones without")
        ->delimiter(',');
    CLI::Option* data = command->add_option(
        "--data", options->data, "photos that the int8 weights are rounded against (without: each to the nearest)");
    command->add_option("--bits", options->bits, "a weight, of the int8 weights once they are compressed")
        ->check(CLI::Range(2.0, 8.0))
        ->needs(data)
        ->capture_default_str();
    command->add_option("--out", options->out, "a folder for model.onnx and the bundle model/")->required();
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
