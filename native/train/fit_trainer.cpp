// See fit_trainer.hpp.
#include "native/train/fit_trainer.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "native/data/augment/whiten.hpp"
#include "native/evaluate/calibration.hpp"
#include "native/evaluate/report.hpp"
#include "native/files/cache.hpp"
#include "native/graph/input_rewrites.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/rounding.hpp"
#include "native/train/starting_network.hpp"
#include "native/train/test_report.hpp"

namespace ouaf {
namespace {

// Mean and deviation of each channel over the pictures of a pixel set, which are seen whole and as they are.
PreprocessSpec preprocess_of(const Pictures& pictures) {
    PreprocessSpec spec;
    spec.size = spec.resize = static_cast<int>(pictures.pixels.size(1));
    const at::Tensor pixels = pictures.gather(at::arange(pictures.count(), at::kLong));
    for (std::int64_t channel = 0; channel < pictures.channels(); ++channel) {
        const at::Tensor values = pixels.select(3, channel).to(at::kFloat).div_(255);
        const auto place = static_cast<std::size_t>(channel);
        spec.mean.at(place) = values.mean().item<float>();
        spec.std.at(place) = values.std().item<float>();
    }
    return spec;
}

// All that a run needs, opened before its folder is made.
struct Prepared {
    TrainingData data;
    StartingNetwork start;
    Teachers teachers;
};

void check_sizes(const Recipe& recipe) {
    if (recipe.seen_share > 0)
        throw std::runtime_error(recipe.data.root.string() +
                                 ": these pictures are seen whole; leave the recipe's 'seen_share' out");
    for (const Stage& stage : recipe.stages)
        if (stage.fit.size > 0 || stage.fit.test_size > 0)
            throw std::runtime_error(recipe.data.root.string() +
                                     ": these pictures are all of one size and stay as they are; leave the recipe's "
                                     "'size' and 'test_size' out");
}

bool has_several_sizes(const Recipe& recipe, int size) {
    const auto other = [&](int given) { return given > 0 && given != size; };
    return std::any_of(recipe.stages.begin(), recipe.stages.end(),
                       [&](const Stage& stage) { return other(stage.fit.size) || other(stage.fit.test_size); });
}

void free_sizes(graph::Graph& graph) {
    graph.inputs.at(0).dims = {std::string("batch"), std::int64_t{3}, std::string("height"), std::string("width")};
}

// Folded into the weight before it, a batch norm would take it from its integers.
void check_rounded(const Recipe& recipe, const graph::Graph& graph) {
    const auto is_rounded = [](const Stage& stage) { return stage.fit.rounded > 0; };
    const auto is_norm = [](const graph::Node& node) { return node.op == "BatchNormalization"; };
    if (std::ranges::any_of(recipe.stages, is_rounded) && std::ranges::any_of(graph.nodes, is_norm))
        throw std::runtime_error(recipe.name +
                                 ": 'rounded' trains weights as the bundle has them, where batch norms are folded into "
                                 "them; train this network without, then give its run's model/ as 'backbone'");
}

// split: of a run that is gone on with.
Prepared prepare(const Recipe& recipe, const std::filesystem::path& split = {}) {
    TrainingData data = open_training_data(recipe, split);
    StartingNetwork start;
    if (!recipe.backbones.empty()) {
        if (!data.photos)
            throw std::runtime_error(recipe.data.root.string() +
                                     ": a backbone is trained on photos, and these are pictures of a pixel set; give "
                                     "'network' in its place");
        start = start_from_backbones(recipe, data.classes());
    } else if (data.photos) {
        PreprocessSpec spec;
        const FitRecipe& first = recipe.stages.front().fit;
        spec.size = first.size > 0 ? first.size : spec.size;
        spec.resize = (spec.size * 8 + 6) / 7;
        start = start_from_scratch(recipe, data.classes(), seen_by(recipe, spec), 3);
        if (has_several_sizes(recipe, spec.size)) free_sizes(start.model.graph);
    } else {
        start = start_from_scratch(recipe, data.classes(), preprocess_of(data.training), data.training.channels());
    }
    if (!data.photos) check_sizes(recipe);
    check_rounded(recipe, start.model.graph);
    Teachers teachers(recipe.distil, start.model.bundle.classes, start.model.bundle.preprocess,
                      autocast_type(recipe.stages.front().fit), cache_folder() / "answers");
    return {std::move(data), std::move(start), std::move(teachers)};
}

// Leaves the test.
struct Stopped {};

class FitRun {
 public:
    // Reads the photos that the first stage needs.
    FitRun(Prepared prepared, const Recipe& recipe, const std::atomic<bool>& stop, const FitRunReport& report)
        : data_(std::move(prepared.data)),
          model_(std::move(prepared.start.model)),
          teachers_(std::move(prepared.teachers)),
          recipe_(recipe),
          stop_(stop),
          report_(report),
          network_(model_.graph) {
        outcome_.known_classes = prepared.start.known_classes;
        for (const graph::Parameter& parameter : network_.parameters()) outcome_.parameters += parameter.tensor.numel();
        if (data_.photos) data_.training = read(data_.photos->train, {.side = stored_side()});
        fit_whitening();
        read_validation(recipe.stages.front());
    }

    const TrainingData& data() const { return data_; }

    RateCurve find_rate() {
        const Stage& stage = recipe_.stages.front();
        return ouaf::find_rate(network_, data_.training, form_of(stage.fit), stage, stop_);
    }

    FitOutcome go(RunDirectory& run, bool resuming, int until, const FitHost& host) {
        run_ = &run;
        host_ = &host;
        if (!host.device.is_cpu()) {
            network_.to(host.device);
            teachers_.to(host.device);
        }
        std::vector<at::Tensor> start;
        for (const graph::Parameter& parameter : network_.parameters())
            start.push_back(parameter.tensor.detach().clone());
        FitPlace place{start};
        Checkpoint saved;
        if (resuming) {
            saved = load_checkpoint(run.last_checkpoint());
            const auto facts = nlohmann::json::parse(saved.facts);
            place = {start, facts.value("stage", 0), facts.value("epochs_before", 0)};
        }
        for (; place.stage < static_cast<int>(recipe_.stages.size()); ++place.stage) {
            if (!fit_stage(place, std::exchange(resuming, false) ? &saved : nullptr, until)) return outcome_;
            place.epochs_before = outcome_.fit.epochs;
        }
        try {
            if (host.processes.first()) finish();
        } catch (const Stopped&) {  // going on, the run is tested from the beginning
            outcome_.fit.finished = false;
        }
        return outcome_;
    }

 private:
    // What the pictures are standardised by is part of the bundle's preprocessing; the matrix goes into its graph.
    void fit_whitening() {
        const AugmentRecipe& changes = recipe_.stages.front().augment;
        for (const Stage& stage : recipe_.stages)
            if (stage.augment.whiten != changes.whiten)
                throw std::runtime_error(recipe_.name + ": 'whiten' is one for all stages; set it in [augment]");
        if (changes.whiten == Whitening::none) return;
        if (!recipe_.backbones.empty())
            throw std::runtime_error(recipe_.name +
                                     ": 'whiten' is for a 'network'; a backbone has its own mean and std");
        constexpr std::int64_t most_bytes = 200'000'000;
        const std::int64_t count =
            std::clamp<std::int64_t>(most_bytes / data_.training.pixels[0].numel(), 1, data_.training.count());
        const at::Tensor places = (at::arange(count, at::kLong) * data_.training.count()).floor_divide(count);
        const PictureForm fitted = fit_form(form_of(recipe_.stages.front().fit), data_.training.gather(places),
                                            data_.training.aspects.index_select(0, places), changes);
        model_.bundle.preprocess.mean = fitted.mean;
        model_.bundle.preprocess.std = fitted.std;
        whitening_ = fitted.whitening;
    }

    int stored_side() const {
        if (recipe_.stored_side > 0) return recipe_.stored_side;
        int largest = 0;
        for (const Stage& stage : recipe_.stages)
            largest = std::max(largest, stage.fit.size > 0 ? stage.fit.size : model_.bundle.preprocess.size);
        return (largest * 8 + 6) / 7;
    }

    Pictures read(const Dataset& photos, const StoredForm& form) {
        ReadablePictures read = read_photos(photos, form, recipe_.crop_to_box, recipe_.unreadable, stop_, report_.data);
        for (std::string& photo : read.unreadable)  // a later stage may read the same photos at another size
            if (std::find(outcome_.unreadable.begin(), outcome_.unreadable.end(), photo) == outcome_.unreadable.end())
                outcome_.unreadable.push_back(std::move(photo));
        return std::move(read.pictures);
    }

    void read_validation(const Stage& stage) {
        if (data_.photos) data_.validation = read(data_.photos->validation, {.seen = spec_of(stage.fit)});
    }

    PreprocessSpec spec_of(const FitRecipe& recipe) const {
        const int size = recipe.test_size > 0 ? recipe.test_size : recipe.size;
        return size > 0 ? at_size(model_.bundle.preprocess, size) : model_.bundle.preprocess;
    }

    PictureForm form_of(const FitRecipe& recipe) const {
        const PreprocessSpec& spec = model_.bundle.preprocess;
        return {recipe.size > 0 ? recipe.size : spec.size, spec.mean, spec.std, whitening_};
    }

    // Whether the stage was finished.
    bool fit_stage(const FitPlace& place, const Checkpoint* saved, int until) {
        const Stage& stage = recipe_.stages[static_cast<std::size_t>(place.stage)];
        const PreprocessSpec spec = spec_of(stage.fit);
        if (place.stage > 0) read_validation(stage);
        Fit fit(network_, {data_.training, data_.validation, form_of(stage.fit)}, stage, teachers_, place, *run_,
                host_->processes);
        if (saved) fit.resume(*saved);
        else if (place.stage == 0) record_start(spec);
        if (!saved && stage.fit.rounded > 0) fit.put_on_grid(rounded(place.stage));
        int later = 0;  // epochs
        for (std::size_t i = static_cast<std::size_t>(place.stage) + 1; i < recipe_.stages.size(); ++i)
            later += recipe_.stages[i].fit.epochs;
        const auto step = [&](double done) {
            report_.step(done / (place.epochs_before + fit.recipe().epochs + later));
            if (host_->control && host_->processes.alone()) serve(fit);
        };
        outcome_.fit = fit.run(stop_, {step, report_.epoch, report_.data.say}, until);
        return outcome_.fit.finished;
    }

    // The graph as a stage begins to train it.
    graph::Graph rounded(int stage) const {
        const FitRecipe& fit = recipe_.stages[static_cast<std::size_t>(stage)].fit;
        graph::Graph graph = shipped(fit).graph;
        report_.data.say("rounding the weights");
        graph::round_weights(graph, some_training_pictures(spec_of(fit)), bits_after(stage));
        return graph;
    }

    // What the weights are still to be rounded to, once so many stages are done.
    double bits_after(int stages) const {
        constexpr double their_own = 8;  // leaves weights on the steps that they have
        const bool done = stages > 0 && recipe_.stages[static_cast<std::size_t>(stages - 1)].fit.rounded > 0;
        return done ? their_own : recipe_.weight_bits;
    }

    // What the run's watcher asked for since the step before.
    void serve(Fit& fit) {
        for (bool paused = true; paused;) {
            RunControl::Turn turn = host_->control->next(stop_);
            if (turn.requests.learning_rate) fit.set_learning_rate(*turn.requests.learning_rate);
            if (turn.requests.epochs) fit.set_epochs(*turn.requests.epochs);
            if (turn.requests.save) fit.save();
            if (!turn.requests.tasks.empty()) {
                std::optional<Model> model;
                fit.with_measured_weights([&] { model = shipped(fit.recipe()); });
                for (const RunControl::Task& task : turn.requests.tasks) task(*model);
            }
            paused = turn.paused;
        }
    }

    void record_start(const PreprocessSpec& spec) {
        outcome_.training_pictures = data_.training.count();
        outcome_.validation_pictures = data_.validation.count();
        run_->record({{"event", "start"},
                      {"parameters", outcome_.parameters},
                      {"known_classes", outcome_.known_classes},
                      {"training_pictures", outcome_.training_pictures},
                      {"validation_pictures", outcome_.validation_pictures},
                      {"unreadable", outcome_.unreadable},
                      {"device", host_->device.str()},
                      {"processes", host_->processes.count()},
                      {"mean", spec.mean},
                      {"std", spec.std}});
    }

    // The network's weights of now in the form they are used in.
    Model shipped(const FitRecipe& stage) const {
        Model model = model_;
        network_.store_parameters(model.graph);
        model.bundle.preprocess = spec_of(stage);
        if (whitening_.defined()) put_whitening_into(model);
        model.bundle.name = recipe_.name;
        model.bundle.version = "1.0.0";
        return model;
    }

    // The weights into files, and the one look at the test split.
    void finish() {
        outcome_.training_pictures = data_.training.count();
        outcome_.validation_pictures = data_.validation.count();
        model_ = shipped(recipe_.stages.back().fit);
        graph::save_onnx(model_.graph, run_->network().string());
        outcome_.network = run_->network();
        const bool has_bundle = data_.photos || data_.training.channels() == 3;
        Model stored = model_;
        if (has_bundle)
            stored.graph = graph::export_rounded(model_.graph, some_training_pictures(model_.bundle.preprocess),
                                                 bits_after(static_cast<int>(recipe_.stages.size())));
        if (data_.photos && recipe_.crop_to_box)
            data_.test = read(data_.photos->test, {.seen = model_.bundle.preprocess});
        outcome_.test = test("float32", model_).accuracy;
        if (has_bundle) {
            stored.bundle.temperature = temperature_of(stored);
            const Evaluation shipped = test("int8", stored);
            if (shipped.logits.defined()) write_test_report(stored.bundle, shipped);
            outcome_.int8 = shipped.accuracy;
            stored.bundle.metrics = test_metrics(outcome_.test_pictures, *outcome_.int8, outcome_.test);
            stored.bundle.metrics["validation_top1"] = outcome_.fit.best.top1;
            save_model(run_->model(), std::move(stored));
            outcome_.model = run_->model();
        }
        run_->record({{"event", "exported"}, {"model", (has_bundle ? run_->model() : run_->network()).string()}});
    }

    // By the validation pictures, which no gradient has seen; 1 where too few mistakes tell one.
    double temperature_of(const Model& model) const {
        constexpr std::int64_t fewest_mistakes = 10;
        const PreprocessSpec& spec = model.bundle.preprocess;
        graph::Network network(model.graph);
        Processes alone;
        const at::Tensor logits =
            answer_pictures(network, data_.validation, {spec.size, spec.mean, spec.std, {}}, alone);
        if (at::sum(logits.argmax(1) != data_.validation.labels).item<std::int64_t>() < fewest_mistakes) return 1;
        const at::Tensor labels = data_.validation.labels.contiguous();
        return fit_temperature(logits,
                               {labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())});
    }

    // As the network sees them in use: what int8 weights are rounded against.
    at::Tensor some_training_pictures(const PreprocessSpec& spec) const {
        const std::int64_t count = std::min(graph::rounding_images, data_.training.count());
        const at::Tensor places = (at::arange(count, at::kLong) * data_.training.count()).floor_divide(count);
        return plain(data_.training.gather(places), data_.training.aspects.index_select(0, places),
                     {spec.size, spec.mean, spec.std, {}});
    }

    // Rows of pixels and channels -> planes, which the graph reads.
    void put_whitening_into(Model& model) const {
        const std::int64_t side = model.bundle.preprocess.size;
        const std::int64_t channels = data_.training.channels();
        const at::Tensor planes = whitening_.view({side, side, channels, side, side, channels})
                                      .permute({2, 0, 1, 5, 3, 4})
                                      .reshape(whitening_.sizes())
                                      .contiguous();
        graph::multiply_input(model.graph,
                              graph::make_tensor({planes.size(0), planes.size(1)},
                                                 std::span<const float>(planes.const_data_ptr<float>(),
                                                                        static_cast<std::size_t>(planes.numel()))));
    }

    // Of a pixel set, the accuracy alone.
    Evaluation test(const char* weights, const Model& model) {
        Evaluation evaluation;
        if (data_.photos && !recipe_.crop_to_box) {
            const std::string stage = std::string("test, ") + weights + " weights";
            evaluation = evaluate(model, data_.photos->test.samples, [&](std::size_t done, std::size_t total) {
                if (stop_) throw Stopped();
                report_.data.progress(stage, static_cast<double>(done) / static_cast<double>(total));
            });
            outcome_.test_pictures = static_cast<std::int64_t>(evaluation.photos);
        } else {
            const PreprocessSpec& spec = model.bundle.preprocess;
            graph::Network network(model.graph);
            Processes alone;
            evaluation.accuracy = measure_pictures(network, data_.test, {spec.size, spec.mean, spec.std, {}}, alone);
            outcome_.test_pictures = data_.test.count();
        }
        run_->record(test_event(weights, outcome_.test_pictures, evaluation.accuracy));
        return evaluation;
    }

    void write_test_report(const Bundle& bundle, const Evaluation& evaluation) {
        std::filesystem::create_directory(run_->report());
        write_report(run_->report(), bundle, {data_.photos->test.samples, 0, {}}, evaluation,
                     make_report(evaluation, bundle.classes.size()));
    }

    TrainingData data_;
    Model model_;
    Teachers teachers_;
    const Recipe& recipe_;
    RunDirectory* run_ = nullptr;
    const FitHost* host_ = nullptr;
    const std::atomic<bool>& stop_;
    const FitRunReport& report_;
    graph::Network network_;
    at::Tensor whitening_;  // see PictureForm; undefined: none
    FitOutcome outcome_;
};

}  // namespace

FitOutcome start_fit(const Recipe& recipe, const std::filesystem::path& folder, const std::atomic<bool>& stop,
                     const FitRunReport& report, int until, const FitHost& host) {
    if (host.processes.first()) RunDirectory::check_free(folder);
    host.processes.wait_for_all();
    FitRun fit(prepare(recipe), recipe, stop, report);
    RunDirectory run = host.processes.first() ? RunDirectory(folder, recipe) : RunDirectory::of_another(folder);
    if (host.processes.first() && fit.data().photos) write_partition(run.split(), *fit.data().photos);
    return fit.go(run, false, until, host);
}

FitOutcome resume_fit(const std::filesystem::path& folder, const std::atomic<bool>& stop, const FitRunReport& report,
                      int until, const FitHost& host) {
    RunDirectory run = host.processes.first() ? RunDirectory(folder) : RunDirectory::of_another(folder);
    const Recipe recipe = read_recipe(run.recipe());
    Prepared prepared = prepare(recipe, run.split());
    FitRun fit(std::move(prepared), recipe, stop, report);
    return fit.go(run, true, until, host);
}

RateCurve find_rate(const Recipe& recipe, const std::atomic<bool>& stop, const FitRunReport& report) {
    return FitRun(prepare(recipe), recipe, stop, report).find_rate();
}

}  // namespace ouaf
