// ouaf predict PHOTO…: what the page would say.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/files/files.hpp"
#include "native/graph/network.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::vector<std::string> photos;
    std::string model = "models/dogs";
    std::size_t top = 3;
    bool json = false;
    std::vector<float> square;  // empty: the middle
};

Answer predict(graph::Network& network, const Bundle& bundle, const std::string& photo, const Options& options) {
    const PreprocessSpec& spec = bundle.preprocess;
    const at::Tensor input = at::empty({1, 3, spec.size, spec.size});
    const std::span<float> tensor(input.data_ptr<float>(), tensor_size(spec));
    const std::vector<float>& square = options.square;
    if (square.empty()) preprocess(read_file(photo), spec, tensor);
    else preprocess(read_file(photo), spec, {square[0], square[1], square[2]}, tensor);
    const at::Tensor logits = network.forward(input).contiguous();
    return answer(bundle, {logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())}, options.top);
}

void print_json(const Bundle& bundle, const std::string& photo, const Answer& answer, const std::string& error) {
    nlohmann::ordered_json json{{"file", photo}};
    json.update(to_json(bundle, answer));
    json["error"] = nullptr;
    if (!error.empty()) json["verdict"] = nullptr;
    if (!error.empty()) json["error"] = error;
    std::cout << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << std::endl;
}

void print(const Bundle& bundle, const std::string& photo, const Answer& answer) {
    constexpr std::array remarks{"", ": not sure", ": none of what this model knows; the nearest would be"};
    std::printf("%s%s\n", photo.c_str(), remarks.at(static_cast<std::size_t>(answer.verdict)));
    for (const Prediction& prediction : answer.predictions) {
        std::printf("  %5.1f %%  %s\n", 100 * prediction.probability,
                    bundle.classes[prediction.index].name.at("en").c_str());
    }
    std::fflush(stdout);
}

void run(const Options& options) {
    const Model model = load_model(options.model);
    const c10::InferenceMode inference;
    graph::Network network(model.graph);
    std::size_t failed = 0;
    std::string first_error;
    for (const std::string& photo : options.photos) {
        Answer answer;
        std::string error;
        try {
            answer = predict(network, model.bundle, photo, options);
        } catch (const std::runtime_error& caught) {
            error = caught.what();
            if (error.rfind(photo, 0) != 0) error = photo + ": " + error;
            if (failed++ == 0) first_error = error;
        }
        if (options.json) print_json(model.bundle, photo, answer, error);
        else if (error.empty()) print(model.bundle, photo, answer);
        else if (failed > 1) std::fprintf(stderr, "ouaf: %s\n", error.c_str());
    }
    if (failed > 0) throw std::runtime_error(first_error);
}

}  // namespace

void add_predict(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("predict", "Name what is on photos");
    command->add_option("photos", options->photos, "JPEG, PNG, WebP or BMP files")->required();
    command->add_option("--model", options->model, "a model bundle's folder")->capture_default_str();
    command->add_option("--top", options->top, "how many classes to name")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command
        ->add_option("--square", options->square,
                     "LEFT TOP SIDE of the part to look at: shares of the photo's width, height and shorter side")
        ->expected(3);
    command->add_flag("--json", options->json, "one JSON object a photo and line");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
