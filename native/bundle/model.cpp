// Bundles in and out.
#include "native/bundle/model.hpp"

#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "native/bundle/checksum.hpp"
#include "native/files/files.hpp"
#include "native/graph/activation_map.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"
#include "shared/bundle/golden.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

namespace ouaf {
namespace {

namespace fs = std::filesystem;

// The self-test with the logits that this very graph gives.
Golden self_test(const Model& model) {
    Golden golden = make_golden(model.bundle.preprocess);
    const PreprocessSpec& spec = model.bundle.preprocess;
    at::Tensor input = at::empty({1, 3, spec.size, spec.size});
    preprocess(golden_picture(golden), spec, {input.data_ptr<float>(), tensor_size(spec)});
    graph::Network network(model.graph);
    const c10::InferenceMode inference;
    const at::Tensor logits = network.forward(input).contiguous();
    golden.logits.assign(logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel());
    return golden;
}

}  // namespace

Model load_model(const fs::path& folder) {
    const fs::path description = folder / "model.json";
    if (!fs::exists(description)) {
        throw std::runtime_error(
            folder.string() + ": no model bundle is there (model.json is missing); give a folder such as models/dogs");
    }
    Model model;
    try {
        model.bundle = parse_bundle(read_text(description));
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(description.string() + ": " + error.what());
    }
    const fs::path file = folder / model.bundle.file;
    const std::vector<std::uint8_t> bytes = read_file(file);
    if (static_cast<std::int64_t>(bytes.size()) != model.bundle.bytes || sha256(bytes) != model.bundle.sha256) {
        throw std::runtime_error(file.string() +
                                 ": this is not the file that model.json describes (its size or "
                                 "SHA-256 differs); copy the bundle again");
    }
    model.graph = graph::parse_onnx(std::as_bytes(std::span(bytes)), file.string());
    if (!model.bundle.activation_map_name.empty()) graph::remove_output(model.graph, model.bundle.activation_map_name);
    return model;
}

void save_model(const fs::path& folder, Model model) {
    model.bundle.golden = self_test(model);
    const std::string map = "activation_map";
    model.bundle.activation_map_name = graph::add_activation_map(model.graph, map) ? map : "";
    const std::string onnx = graph::serialise_onnx(model.graph);
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(onnx.data()), onnx.size());
    model.bundle.bytes = static_cast<std::int64_t>(bytes.size());
    model.bundle.sha256 = sha256(bytes);

    const fs::path unfinished = fs::path(folder).concat(".unfinished");
    fs::remove_all(unfinished);
    fs::create_directories(unfinished);
    write_file(unfinished / model.bundle.file, bytes);
    write_text(unfinished / "model.json", to_json(model.bundle).dump(1) + "\n");
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(unfinished)) {  // a model card beside them stays
        fs::rename(entry.path(), folder / entry.path().filename());
    }
    fs::remove(unfinished);
}

}  // namespace ouaf
