// See teachers.hpp.
#include "native/train/teachers.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <stdexcept>

#include "native/bundle/model.hpp"
#include "native/graph/classifier_form.hpp"

namespace ouaf {

Teachers::Teachers(const DistilRecipe& recipe, const std::vector<ClassLabel>& classes, const PreprocessSpec& preprocess)
    : recipe_(recipe) {
    for (const std::filesystem::path& path : recipe.teachers) {
        Model model = load_model(path);
        graph::to_classifier_form(model.graph);
        if (model.bundle.preprocess.mean != preprocess.mean || model.bundle.preprocess.std != preprocess.std)
            throw std::runtime_error(path.string() +
                                     ": this teacher wants its pictures normalised by another mean and deviation than "
                                     "the network that learns");
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
        teachers_.push_back({graph::Network(std::move(model.graph)), at::tensor(places, at::kLong)});
    }
}

void Teachers::to(const at::Device& device) {
    for (Teacher& teacher : teachers_) teacher.network.to(device);
}

at::Tensor Teachers::probabilities(const at::Tensor& images) {
    const at::NoGradGuard no_gradients;
    at::Tensor sum;
    for (Teacher& teacher : teachers_) {
        const at::Tensor logits =
            teacher.network.forward(images).to(at::kFloat).index_select(1, teacher.places.to(images.device()));
        const at::Tensor one = at::softmax(logits / recipe_.temperature, 1);
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
