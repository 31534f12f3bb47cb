// See starting_network.hpp.
#include "native/train/starting_network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "native/graph/classifier_form.hpp"
#include "native/graph/combine.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/head_rewrites.hpp"
#include "native/train/head_trainer.hpp"
#include "native/train/networks.hpp"
#include "shared/preprocess/preprocess.hpp"

namespace ouaf {
namespace {

void check_same_view(const Model& first, const Model& other, const std::filesystem::path& path) {
    const PreprocessSpec& a = first.bundle.preprocess;
    const PreprocessSpec& b = other.bundle.preprocess;
    if (a.size == b.size && a.resize == b.resize && a.filter == b.filter && a.grey == b.grey &&
        a.equalise == b.equalise)
        return;
    throw std::runtime_error(path.string() + ": sees " + std::to_string(b.size) + " of " + std::to_string(b.resize) +
                             " pixels, and the first backbone " + std::to_string(a.size) + " of " +
                             std::to_string(a.resize) +
                             "; networks side by side see the same picture: import one of them anew with the other's "
                             "preprocessing");
}

// Rows of the heads side by side.
graph::HeadRows joined(const std::vector<HeadStart>& starts) {
    const auto classes = starts[0].rows.classes;
    graph::HeadRows rows{classes, 0, {}, std::vector<float>(static_cast<std::size_t>(classes))};
    const float share = 1 / static_cast<float>(starts.size());
    for (const HeadStart& start : starts) rows.width += start.rows.width;
    for (std::size_t c = 0; c < static_cast<std::size_t>(classes); ++c)
        for (const HeadStart& start : starts) {
            const auto width = static_cast<std::size_t>(start.rows.width);
            const auto row = start.rows.weight.begin() + static_cast<std::ptrdiff_t>(c * width);
            std::transform(row, row + static_cast<std::ptrdiff_t>(width), std::back_inserter(rows.weight),
                           [&](float value) { return value * share; });
            rows.bias[c] += start.rows.bias[c] * share;
        }
    return rows;
}

}  // namespace

std::vector<ClassLabel> labels_of(const std::vector<DatasetClass>& classes, std::span<const ClassLabel> known) {
    std::vector<ClassLabel> labels;
    for (const DatasetClass& c : classes) {
        labels.push_back({c.id, {{"en", c.name}}});
        const auto same = std::ranges::find(known, c.id, &ClassLabel::id);
        if (same != known.end()) labels.back().name.insert(same->name.begin(), same->name.end());
    }
    return labels;
}

PreprocessSpec seen_by(const Recipe& recipe, PreprocessSpec spec) {
    if (recipe.seen_share == 0) return spec;
    spec.resize = static_cast<int>(std::lround(spec.size / recipe.seen_share));
    try {
        check_spec(spec);
    } catch (const std::runtime_error& error) {
        throw std::runtime_error("'seen_share' is too small: " + std::string(error.what()));
    }
    return spec;
}

StartingNetwork start_from_backbones(const Recipe& recipe, const std::vector<DatasetClass>& classes) {
    const std::vector<ClassLabel> labels = labels_of(classes, {});
    std::vector<Model> models;
    std::vector<HeadStart> starts;
    std::vector<bool> known(labels.size());
    for (const std::filesystem::path& path : recipe.backbones) {
        Model& model = models.emplace_back(load_model(path));
        check_same_view(models[0], model, path);
        graph::to_classifier_form(model.graph);
        graph::fold_constants(model.graph);
        starts.push_back(start_head(graph::head_rows(model.graph), model.bundle.classes, labels));
        for (std::size_t c = 0; c < known.size(); ++c) known[c] = known[c] || starts.back().known[c];
    }
    StartingNetwork start{std::move(models[0]), 0};
    graph::HeadRows rows = joined(starts);
    if (models.size() > 1) {
        std::vector<graph::Extractor> extractors;
        for (std::size_t i = 0; i < models.size(); ++i) {
            const Model& model = i == 0 ? start.model : models[i];
            extractors.push_back({model.graph, model.bundle.preprocess.mean, model.bundle.preprocess.std});
            if (i > 0) start.model.bundle.architecture += " + " + model.bundle.architecture;
        }
        start.model.graph = graph::combine(extractors, rows.classes);
        start.model.bundle.logits_name = start.model.graph.outputs[0].name;
    }
    if (recipe.fresh_head) rows = graph::fresh_rows(rows.classes, rows.width, recipe.stages.front().fit.seed);
    else start.known_classes = static_cast<std::size_t>(std::count(known.begin(), known.end(), true));
    graph::replace_head(start.model.graph, rows);
    if (recipe.network_options.dropout)
        graph::insert_dropout(start.model.graph, static_cast<float>(*recipe.network_options.dropout));
    start.model.bundle.classes = labels_of(classes, start.model.bundle.classes);
    start.model.bundle.preprocess = seen_by(recipe, start.model.bundle.preprocess);
    return start;
}

StartingNetwork start_from_scratch(const Recipe& recipe, const std::vector<DatasetClass>& classes,
                                   const PreprocessSpec& preprocess, std::int64_t channels) {
    StartingNetwork start;
    start.model.graph =
        make_network(recipe.network, recipe.network_options, {channels, preprocess.size, preprocess.size},
                     static_cast<std::int64_t>(classes.size()), recipe.stages.front().fit.seed);
    start.model.bundle.architecture = recipe.network;
    start.model.bundle.preprocess = preprocess;
    start.model.bundle.input_name = start.model.graph.inputs.at(0).name;
    start.model.bundle.logits_name = start.model.graph.outputs.at(0).name;
    start.model.bundle.classes = labels_of(classes, {});
    return start;
}

}  // namespace ouaf
