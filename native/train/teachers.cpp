// See teachers.hpp.
#include "native/train/teachers.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <map>
#include <stdexcept>
#include <utility>

#include "native/bundle/model.hpp"
#include "native/files/files.hpp"
#include "native/files/fnv1a.hpp"
#include "native/graph/classifier_form.hpp"

namespace ouaf {

namespace {

// (x * std + mean - other mean) / other std, of each channel.
std::pair<at::Tensor, at::Tensor> change_of_norm(const PreprocessSpec& from, const PreprocessSpec& to) {
    at::Tensor factor = at::empty({1, 3, 1, 1});
    at::Tensor shift = at::empty({1, 3, 1, 1});
    for (std::size_t c = 0; c < 3; ++c) {
        const auto channel = static_cast<std::int64_t>(c);
        factor[0][channel][0][0] = from.std.at(c) / to.std.at(c);
        shift[0][channel][0][0] = (from.mean.at(c) - to.mean.at(c)) / to.std.at(c);
    }
    return {factor, shift};
}

// Of the network's file and all that decides what it says of a picture.
std::string name_of_answers(const std::filesystem::path& path, const Bundle& bundle,
                            const std::vector<ClassLabel>& classes, const DistilRecipe& recipe,
                            std::optional<at::ScalarType> autocast) {
    std::string text = std::to_string(recipe.size);
    if (autocast) text += std::string(" ") + c10::toString(*autocast);
    for (const ClassLabel& label : classes) text += " " + label.id;
    for (const float number : bundle.preprocess.mean) text += " " + std::to_string(number);
    for (const float number : bundle.preprocess.std) text += " " + std::to_string(number);
    const std::vector<std::uint8_t> file = read_file(path / bundle.file);
    text.append(reinterpret_cast<const char*>(file.data()), file.size());
    char name[17];
    std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
    return name;
}

}  // namespace

Teachers::Teachers(const DistilRecipe& recipe, const std::vector<ClassLabel>& classes, const PreprocessSpec& preprocess,
                   std::optional<at::ScalarType> autocast, const std::filesystem::path& answers)
    : recipe_(recipe) {
    for (const std::filesystem::path& path : recipe.teachers) {
        Model model = load_model(path);
        graph::to_classifier_form(model.graph);
        std::map<std::string, std::int64_t> place_of;
        for (const ClassLabel& label : model.bundle.classes)
            place_of.emplace(label.id, static_cast<std::int64_t>(place_of.size()));
        std::vector<std::int64_t> places;
        for (const ClassLabel& label : classes) {
            const auto found = place_of.find(label.id);
            if (found == place_of.end())
                throw std::runtime_error(path.string() + ": this teacher doesn't know the class '" + label.id + "'");
            places.push_back(found->second);
        }
        const auto [factor, shift] = change_of_norm(preprocess, model.bundle.preprocess);
        auto store =
            std::make_unique<AnswerStore>(answers / name_of_answers(path, model.bundle, classes, recipe, autocast),
                                          static_cast<std::int64_t>(classes.size()));
        teachers_.push_back(
            {graph::Network(std::move(model.graph)), at::tensor(places, at::kLong), factor, shift, std::move(store)});
        teachers_.back().network.mode.autocast = autocast;
    }
}

void Teachers::to(const at::Device& device) {
    for (Teacher& teacher : teachers_) {
        teacher.network.to(device);
        for (at::Tensor* tensor : {&teacher.places, &teacher.factor, &teacher.shift}) *tensor = tensor->to(device);
    }
}

// -> [n, classes] logits.
at::Tensor Teachers::ask(Teacher& teacher, const at::Tensor& images) const {
    at::Tensor seen = images.to(at::kFloat) * teacher.factor + teacher.shift;
    if (recipe_.size > 0 && (seen.size(2) != recipe_.size || seen.size(3) != recipe_.size))
        seen = at::upsample_bicubic2d(seen, {recipe_.size, recipe_.size}, false);
    return teacher.network.forward(seen).to(at::kFloat).index_select(1, teacher.places);
}

// The same, of pictures that were asked about before from the store.
at::Tensor Teachers::answers(Teacher& teacher, const at::Tensor& images) const {
    if (!images.device().is_cpu()) return ask(teacher, images);
    std::vector<at::Tensor> rows;
    std::vector<std::int64_t> unknown;
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
        const std::uint64_t key = AnswerStore::key_of(images[i]);
        rows.push_back(teacher.answers->find(key));
        if (rows.back().defined()) continue;
        unknown.push_back(i);
        keys.push_back(key);
    }
    if (!unknown.empty()) {
        const at::Tensor asked = ask(teacher, images.index_select(0, at::tensor(unknown, at::kLong)));
        teacher.answers->add(keys, asked);
        for (std::size_t i = 0; i < unknown.size(); ++i)
            rows[static_cast<std::size_t>(unknown[i])] = asked[static_cast<std::int64_t>(i)];
    }
    return at::stack(rows);
}

at::Tensor Teachers::probabilities(const at::Tensor& images) {
    const at::NoGradGuard no_gradients;
    at::Tensor sum;
    for (Teacher& teacher : teachers_) {
        const at::Tensor one = at::softmax(answers(teacher, images) / recipe_.temperature, 1);
        sum = sum.defined() ? sum + one : one;
    }
    return sum / static_cast<double>(teachers_.size());
}

at::Tensor Teachers::loss(const at::Tensor& images, const at::Tensor& logits, const at::Tensor& loss) {
    const at::Tensor wanted = probabilities(images);
    const at::Tensor said = at::log_softmax(logits.to(at::kFloat) / recipe_.temperature, 1);
    const at::Tensor difference = (at::xlogy(wanted, wanted) - wanted * said).sum(1).mean();
    const double weight = recipe_.weight * recipe_.temperature * recipe_.temperature;
    return loss * (1 - recipe_.weight) + difference * weight;
}

}  // namespace ouaf
