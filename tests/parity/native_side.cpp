// The native side of the parity test: for each photo the tensor's SHA-256, and the logits of LibTorch and of ONNX
// Runtime on the bundle's file.
//
//   native_side MODEL LIST OUT.jsonl
//
// Each line of OUT is {"file", "width", "height", "tensor", "libtorch": [...], "onnxruntime": [...]} or
// {"file", "error": kind, "message"}, in the list's order.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "native/bundle/checksum.hpp"
#include "native/bundle/model.hpp"
#include "native/files/files.hpp"
#include "native/graph/network.hpp"
#include "native/onnxruntime/session.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json examine(const std::string& file, const ouaf::Bundle& bundle, ouaf::graph::Network& network,
             ouaf::onnxruntime::Session& reference) {
    std::vector<float> tensor(ouaf::tensor_size(bundle.preprocess));
    ouaf::PhotoSize photo;
    try {
        photo = ouaf::preprocess(ouaf::read_file(file), bundle.preprocess, tensor);
    } catch (const ouaf::PhotoError& error) {
        return {{"file", file}, {"error", name_of(error.kind())}, {"message", error.what()}};
    }
    const auto bytes = std::as_bytes(std::span(tensor));
    const std::int64_t side = bundle.preprocess.size;
    const at::Tensor logits = network.forward(at::from_blob(tensor.data(), {1, 3, side, side})).contiguous();
    const std::vector<float> libtorch(logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel());
    const auto images = ouaf::graph::make_tensor({1, 3, side, side}, std::span<const float>(tensor));
    return {{"file", file},
            {"width", photo.width},
            {"height", photo.height},
            {"tensor", ouaf::sha256({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})},
            {"libtorch", libtorch},
            {"onnxruntime", reference.run({bundle.input_name}, {&images}, {bundle.logits_name}).at(0).values}};
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4) {
        std::cerr << "usage: native_side MODEL LIST OUT.jsonl\n";
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const ouaf::Model model = ouaf::load_model(folder);
    const c10::InferenceMode inference;
    ouaf::graph::Network network(model.graph);
    ouaf::onnxruntime::Session reference(ouaf::read_text(folder / model.bundle.file));
    std::ifstream list(argv[2]);
    std::ofstream out(argv[3]);
    for (std::string file; std::getline(list, file);) {
        if (!file.empty()) out << examine(file, model.bundle, network, reference).dump() << "\n";
    }
    return 0;
} catch (const std::exception& error) {
    std::cerr << "native_side: " << error.what() << "\n";
    return 1;
}
