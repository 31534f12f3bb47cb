// What teachers say of pictures that are prepared for another network.
#include "native/train/teachers.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <catch2/catch.hpp>

#include "native/bundle/model.hpp"
#include "native/graph/builders/builders.hpp"
#include "tests/unit/folder.hpp"

using namespace ouaf;

namespace {

constexpr int teacher_size = 48;
const std::vector<ClassLabel> labels{{"a", {{"en", "a"}}}, {"b", {{"en", "b"}}}, {"c", {{"en", "c"}}}};

graph::Graph teacher_graph() {
    graph::builders::ResNet config = graph::builders::resnet18();
    config.classes = static_cast<std::int64_t>(labels.size());
    return graph::builders::make_graph(graph::builders::resnet(config), 5);
}

PreprocessSpec spec_with(std::array<float, 3> mean, std::array<float, 3> std) {
    PreprocessSpec spec;
    spec.size = spec.resize = teacher_size;
    spec.mean = mean;
    spec.std = std;
    return spec;
}

void write_teacher(const std::filesystem::path& folder, const PreprocessSpec& spec) {
    Model model;
    model.graph = teacher_graph();
    model.bundle.name = "teacher";
    model.bundle.input_name = model.graph.inputs.at(0).name;
    model.bundle.logits_name = model.graph.outputs.at(0).name;
    model.bundle.preprocess = spec;
    model.bundle.classes = labels;
    save_model(folder, std::move(model));
}

at::Tensor channels(const std::array<float, 3>& values) {
    return at::tensor({values[0], values[1], values[2]}).view({1, 3, 1, 1});
}

at::Tensor prepared(const at::Tensor& pixels, const PreprocessSpec& spec) {
    return (pixels - channels(spec.mean)) / channels(spec.std);
}

}  // namespace

TEST_CASE("A teacher sees pictures at its own size, normalised as it wants them, and its classes by id", "[train]") {
    const Folder folder;
    const PreprocessSpec its = spec_with({0.5F, 0.4F, 0.3F}, {0.5F, 0.6F, 0.7F});
    const PreprocessSpec students = spec_with({0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F});
    write_teacher(folder.root / "teacher", its);
    DistilRecipe recipe;
    recipe.teachers = {folder.root / "teacher"};
    recipe.temperature = 3;
    recipe.size = teacher_size;
    Teachers teachers(recipe, {labels[2], labels[0]}, students, {}, folder.root / "answers");

    at::manual_seed(3);
    const at::Tensor pixels = at::rand({4, 3, 32, 32});
    const at::Tensor said = teachers.probabilities(prepared(pixels, students));

    // Enlarging commutes with normalising: both are linear, and the weights of bicubic sum to 1.
    const c10::InferenceMode inference;
    graph::Network network(teacher_graph());
    const at::Tensor large = at::upsample_bicubic2d(pixels, {teacher_size, teacher_size}, false);
    const at::Tensor logits = network.forward(prepared(large, its)).index_select(1, at::tensor({2, 0}));
    CHECK(at::allclose(said, at::softmax(logits / 3, 1), 1e-4, 1e-6));
}

TEST_CASE("A teacher is asked once about a picture", "[train]") {
    const Folder folder;
    const PreprocessSpec spec = spec_with({0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F});
    write_teacher(folder.root / "teacher", spec);
    DistilRecipe recipe;
    recipe.teachers = {folder.root / "teacher"};
    at::manual_seed(4);
    const at::Tensor images = at::randn({3, 3, 32, 32});
    const auto answers = folder.root / "answers";
    const auto bytes = [&] { return std::filesystem::file_size(std::filesystem::directory_iterator(answers)->path()); };

    const at::Tensor first = Teachers(recipe, labels, spec, {}, answers).probabilities(images.narrow(0, 0, 2));
    const auto of_two = bytes();
    const at::Tensor second = Teachers(recipe, labels, spec, {}, answers).probabilities(images);
    CHECK(bytes() == of_two / 2 * 3);
    CHECK(at::equal(second.narrow(0, 0, 2), first));
    CHECK(at::allclose(second.sum(1), at::ones({3})));
}
