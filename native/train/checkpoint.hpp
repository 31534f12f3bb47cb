// Everything a run needs to go on as if it had never stopped, in one file of the safetensors format
// (https://huggingface.co/docs/safetensors), which Python reads too.
//
//     Checkpoint state{{{"weight", tensor}}, R"({"epoch": 3})"};
//     save_checkpoint("last.safetensors", state);
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace ouaf {

struct Checkpoint {
    std::map<std::string, at::Tensor> tensors;
    std::string facts;  // JSON
};

// The file appears whole, flushed to the disk, or not at all. Throws std::runtime_error "path: cause".
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Tensors on the CPU. Throws std::runtime_error "path: cause; what to do" for what is no whole checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace ouaf
