// What shared/preprocess makes of picture files, for a reference in another language to compare.
//
//   dump_tensors MODEL.json LIST [FOLDER]
//
// LIST names a picture file a line. Prints a JSON line for each: {"file", "width", "height", "sha256" of the float32
// tensor} or {"file", "error": kind, "message"}. With FOLDER, FOLDER/N.rgb is the 8-bit crop of picture N (from 0).
#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "native/bundle/checksum.hpp"
#include "native/files/files.hpp"
#include "shared/bundle/bundle.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json describe(const std::string& file, const ouaf::PreprocessSpec& spec, const std::string& crop_file) try {
    const auto bytes = ouaf::read_file(file);
    std::vector<float> tensor(ouaf::tensor_size(spec));
    const ouaf::PhotoSize size = ouaf::preprocess(bytes, spec, tensor);
    if (!crop_file.empty()) {
        ouaf::write_file(crop_file, ouaf::crop_for_network(ouaf::decode(bytes, spec.resize), spec).rgb);
    }
    const auto* first = reinterpret_cast<const std::uint8_t*>(tensor.data());
    return {{"file", file},
            {"width", size.width},
            {"height", size.height},
            {"sha256", ouaf::sha256({first, tensor.size() * sizeof(float)})}};
} catch (const ouaf::PhotoError& error) {
    return {{"file", file}, {"error", name_of(error.kind())}, {"message", error.what()}};
}

}  // namespace

int main(int count, char** words) try {
    const std::vector<std::string> arguments(words, words + count);
    if (count < 3) {
        std::cerr << "usage: dump_tensors MODEL.json LIST [FOLDER]\n";
        return 2;
    }
    const ouaf::Bundle bundle = ouaf::parse_bundle(ouaf::read_text(arguments[1]));
    std::ifstream list(arguments[2]);
    std::size_t number = 0;
    for (std::string file; std::getline(list, file); ++number) {
        const std::string crop = count > 3 ? arguments[3] + "/" + std::to_string(number) + ".rgb" : "";
        std::cout << describe(file, bundle.preprocess, crop).dump() << "\n";
    }
    return 0;
} catch (const std::exception& error) {
    std::cerr << "dump_tensors: " << error.what() << "\n";
    return 1;
}
