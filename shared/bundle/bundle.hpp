// A model bundle's model.json: how to prepare a photo, what the classes are, and how the network's answer is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/preprocess/preprocess.hpp"

namespace ouaf {

struct ClassLabel {
    std::string id;                           // stable: a WordNet id, or the folder's name
    std::map<std::string, std::string> name;  // by language; "en" is always there
};

// A self-test: a small generated picture, the tensor it must give (to the bit) and the logits (nearly).
struct Golden {
    std::string picture;           // a PNG file, base64
    std::uint32_t tensor_crc = 0;  // CRC-32 (zlib's) of the little-endian float32 tensor
    std::vector<float> logits;
};

struct Bundle {
    std::string name;
    std::string version = "1.0.0";
    std::string architecture;
    std::string licence;
    std::string file = "model.onnx";  // beside model.json
    std::int64_t bytes = 0;           // of that file
    std::string sha256;
    std::string input_name = "input";
    std::string logits_name = "logits";
    std::string activation_map_name;  // see graph::add_activation_map; empty: the network has none
    PreprocessSpec preprocess;
    std::vector<ClassLabel> classes;   // in the order of the logits
    double temperature = 1.0;          // logits are divided by it before the softmax
    double unsure_below = 0.0;         // the best class's probability; 0: never unsure
    std::optional<double> none_below;  // the largest logit, where the photo shows none of the classes; empty: not known
    std::map<std::string, double> metrics;
    Golden golden;
};

// Reads model.json's text. Throws std::runtime_error that names the field and what is wrong with it.
Bundle parse_bundle(std::string_view json);

nlohmann::ordered_json to_json(const Bundle& bundle);

struct Prediction {
    std::size_t index = 0;  // of the class
    double probability = 0;
};

// Softmax of logits / temperature, in double.
std::vector<double> probabilities(const Bundle& bundle, std::span<const float> logits);

// The `top` likeliest classes, best first; equal ones in class order.
std::vector<Prediction> rank(const Bundle& bundle, std::span<const float> logits, std::size_t top);

// How far an answer can be trusted, by the bundle's thresholds. A network that was never shown anything else answers
// any photo with its classes; the logits of what it knows are larger (as the energy of Liu et al. 2020,
// https://arxiv.org/abs/2010.03759, of which the largest logit is the main part).
enum class Verdict { sure, unsure, none };

struct Answer {
    Verdict verdict = Verdict::sure;
    std::vector<Prediction> predictions;
};

Answer answer(const Bundle& bundle, std::span<const float> logits, std::size_t top);

// {"verdict": "sure", "unsure" or "none", "predictions": [{"id", "name", "probability"}, …]}, names in English.
nlohmann::ordered_json to_json(const Bundle& bundle, const Answer& answer);

}  // namespace ouaf
