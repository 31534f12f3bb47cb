// What the weights at hand are asked for: an answer to one photo with its reasons, and a bundle of their own.
#include <ATen/ATen.h>

#include <exception>

#include "native/dashboard/work/work.hpp"
#include "native/evaluate/activation_map.hpp"
#include "native/files/files.hpp"

namespace ouaf::dashboard {
namespace {

HeatMap heat_of(const at::Tensor& map, const PreprocessSpec& spec) {
    if (!map.defined() || map.size(0) != map.size(1)) return {};
    const at::Tensor values = map.contiguous();
    return {static_cast<int>(values.size(0)),
            {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()},
            static_cast<float>(spec.size) / static_cast<float>(spec.resize)};
}

PhotoAnswer look_at(const std::filesystem::path& photo, const Model& model) {
    PhotoAnswer answer;
    const PreprocessSpec& spec = model.bundle.preprocess;
    const at::Tensor image = at::empty({1, 3, spec.size, spec.size});
    preprocess(read_file(photo), spec, {image.data_ptr<float>(), static_cast<std::size_t>(image.numel())});
    MappedNetwork network(model.graph);
    const MappedAnswer found = network.answer(image);
    const std::span<const float> logits(found.logits.const_data_ptr<float>(),
                                        static_cast<std::size_t>(found.logits.numel()));
    for (const Prediction& prediction : rank(model.bundle, logits, 5)) {
        answer.top.push_back({prediction.index, prediction.probability});
        answer.names.push_back(model.bundle.classes.at(prediction.index).name.at("en"));
    }
    answer.heat = heat_of(attention(found, answer.top.at(0).label), spec);
    return answer;
}

void post_answer(const std::filesystem::path& photo, const std::filesystem::path& run, bool in_training,
                 const std::function<Model()>& model, const Work& work) {
    PhotoAnswer answer;
    try {
        answer = look_at(photo, model());
    } catch (const std::exception& error) {
        answer.error = error.what();
        if (answer.error.find(photo.string()) == std::string::npos) answer.error = photo.string() + ": " + answer.error;
    }
    answer.photo = photo;
    answer.run = run;
    answer.in_training = in_training;
    work.post(std::move(answer));
}

}  // namespace

void answer_photo(const std::filesystem::path& photo, const std::filesystem::path& run, const Work& work) {
    post_answer(
        photo, run, false, [&] { return load_model(run / "model"); }, work);
}

void answer_with(const std::filesystem::path& photo, const std::filesystem::path& run, const Model& model,
                 const Work& work) {
    post_answer(
        photo, run, true, [&] { return model; }, work);
}

void save_weights(const std::filesystem::path& folder, const Model& model, const Work& work) {
    SavedModel saved{folder, ""};
    try {
        save_model(folder, model);
    } catch (const std::exception& error) {
        saved.error = error.what();
    }
    work.post(std::move(saved));
}

}  // namespace ouaf::dashboard
