// See fit_trainer.hpp.
#include "native/train/fit_trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

#include "native/graph/onnx_io.hpp"
#include "native/train/networks.hpp"

namespace ouaf {
namespace {

Pictures open_pictures(const DataRecipe& data, Split split) {
    if (!data.classes.empty() || data.split != std::array<double, 3>{})
        throw std::runtime_error(data.root.string() +
                                 ": MNIST and CIFAR-10 are taken as they come; leave 'classes' and 'split' out");
    if (const auto set = open_pixel_set(data.root, split)) return pictures_of(*set);
    throw std::runtime_error(data.root.string() + ": holds no MNIST and no CIFAR-10; give the folder with their files");
}

// Mean and deviation of each channel over the training pictures.
PictureForm form_of(const Pictures& pictures) {
    PictureForm form;
    form.side = pictures.pixels.size(1);
    for (std::int64_t channel = 0; channel < pictures.pixels.size(3); ++channel) {
        const at::Tensor values = pictures.pixels.select(3, channel).to(at::kFloat).div_(255);
        const auto place = static_cast<std::size_t>(channel);
        form.mean.at(place) = values.mean().item<float>();
        form.std.at(place) = values.std().item<float>();
    }
    return form;
}

// All that a run needs, opened before its folder is made.
struct Prepared {
    Pictures training;
    Pictures validation;
    Pictures test;
    PictureForm form;
    graph::Graph graph;
};

Prepared prepare(const Recipe& recipe) {
    Prepared run;
    std::tie(run.training, run.validation) =
        split_pictures(open_pictures(recipe.data, Split::train), recipe.data.validation, recipe.data.seed);
    run.test = open_pictures(recipe.data, Split::test);
    run.form = form_of(run.training);
    const at::Tensor& pixels = run.training.pixels;
    run.graph = make_network(recipe.network, {pixels.size(3), pixels.size(1), pixels.size(2)},
                             static_cast<std::int64_t>(run.training.classes.size()), recipe.train->seed);
    return run;
}

FitOutcome run_fit(Prepared prepared, const Recipe& recipe, RunDirectory& run, bool resuming,
                   const std::atomic<bool>& stop, const FitReport& report, int until) {
    const auto& [training, validation, held_out, form, graph] = prepared;
    graph::Network network(graph);
    FitOutcome outcome;
    for (const graph::Parameter& parameter : network.parameters()) outcome.parameters += parameter.tensor.numel();
    outcome.training_pictures = training.count();
    outcome.validation_pictures = validation.count();
    outcome.test_pictures = held_out.count();
    Fit fit(network, training, validation, form, *recipe.train, recipe.augment, run);
    if (resuming) {
        fit.resume(load_checkpoint(run.last_checkpoint()));
    } else {
        run.record({{"event", "start"},
                    {"parameters", outcome.parameters},
                    {"training_pictures", outcome.training_pictures},
                    {"validation_pictures", outcome.validation_pictures},
                    {"test_pictures", outcome.test_pictures},
                    {"mean", form.mean},
                    {"std", form.std}});
    }
    outcome.fit = fit.run(stop, report, until);
    if (!outcome.fit.finished) return outcome;
    outcome.test = measure_pictures(network, held_out, form);
    run.record({{"event", "test"},
                {"pictures", outcome.test_pictures},
                {"top1", outcome.test.top1},
                {"top5", outcome.test.top5},
                {"cross_entropy", outcome.test.cross_entropy}});
    network.store_parameters(prepared.graph);
    graph::save_onnx(prepared.graph, run.network().string());
    outcome.network = run.network();
    return outcome;
}

}  // namespace

FitOutcome start_fit(const Recipe& recipe, const std::filesystem::path& folder, const std::atomic<bool>& stop,
                     const FitReport& report, int until) {
    Prepared prepared = prepare(recipe);
    RunDirectory run(folder, recipe);
    return run_fit(std::move(prepared), recipe, run, false, stop, report, until);
}

FitOutcome resume_fit(const std::filesystem::path& folder, const std::atomic<bool>& stop, const FitReport& report,
                      int until) {
    RunDirectory run(folder);
    const Recipe recipe = read_recipe(run.recipe());
    return run_fit(prepare(recipe), recipe, run, true, stop, report, until);
}

}  // namespace ouaf
