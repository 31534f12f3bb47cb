// See checkpoint.hpp: 8 bytes of length, a JSON head with each tensor's type, shape and place, the tensors' bytes.
#include "native/train/checkpoint.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "native/files/files.hpp"

namespace ouaf {
namespace {

using nlohmann::ordered_json;

struct NamedType {
    const char* name;
    at::ScalarType type;
};
constexpr std::array types{NamedType{"F32", at::kFloat},     NamedType{"F64", at::kDouble}, NamedType{"F16", at::kHalf},
                           NamedType{"BF16", at::kBFloat16}, NamedType{"I64", at::kLong},   NamedType{"I32", at::kInt},
                           NamedType{"U8", at::kByte},       NamedType{"BOOL", at::kBool}};

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& cause) {
    throw std::runtime_error(path.string() + ": " + cause + "; resume from another checkpoint, or start anew");
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
    ordered_json head{{"__metadata__", {{"facts", checkpoint.facts}}}};
    std::vector<at::Tensor> dense;
    std::size_t end = 0;
    for (const auto& [name, tensor] : checkpoint.tensors) {
        const at::Tensor& added = dense.emplace_back(tensor.detach().to(at::kCPU).contiguous());
        const auto* type = std::find_if(types.begin(), types.end(),
                                        [&](const NamedType& each) { return each.type == added.scalar_type(); });
        if (type == types.end())
            throw std::runtime_error(path.string() + ": '" + name + "' is " + at::toString(added.scalar_type()) +
                                     ", which a checkpoint cannot hold");
        head[name] = {
            {"dtype", type->name}, {"shape", added.sizes().vec()}, {"data_offsets", {end, end + added.nbytes()}}};
        end += added.nbytes();
    }
    std::string text = head.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin where they may be mapped
    std::vector<std::uint8_t> bytes(8 + text.size() + end);
    const std::uint64_t length = text.size();
    std::memcpy(bytes.data(), &length, 8);
    std::memcpy(bytes.data() + 8, text.data(), text.size());
    std::uint8_t* next = bytes.data() + 8 + text.size();
    for (const at::Tensor& tensor : dense) {
        if (tensor.nbytes() > 0) std::memcpy(next, tensor.const_data_ptr(), tensor.nbytes());
        next += tensor.nbytes();
    }
    write_file(path, bytes);
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
    const std::vector<std::uint8_t> bytes = read_file(path);
    std::uint64_t length = 0;
    if (bytes.size() < 8) fail(path, "not a checkpoint");
    std::memcpy(&length, bytes.data(), 8);
    if (length > bytes.size() - 8) fail(path, "not a checkpoint, or cut short");
    const auto* head_start = bytes.data() + 8;
    const auto head = ordered_json::parse(head_start, head_start + length, nullptr, /*allow_exceptions=*/false);
    const std::size_t data = 8 + length;
    Checkpoint checkpoint;
    try {
        checkpoint.facts = head.at("__metadata__").at("facts").get<std::string>();
        for (const auto& [name, entry] : head.items()) {
            if (name == "__metadata__") continue;
            const auto type_name = entry.at("dtype").get<std::string>();
            const auto* type =
                std::find_if(types.begin(), types.end(), [&](const NamedType& each) { return each.name == type_name; });
            const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
            const auto place = entry.at("data_offsets").get<std::array<std::size_t, 2>>();
            if (type == types.end()) fail(path, "'" + name + "' has the unknown type " + type_name);
            const std::size_t room = bytes.size() - data;
            std::size_t size = at::elementSize(type->type);
            for (const std::int64_t axis : shape) {
                if (axis < 0 || (axis > 0 && size > room / static_cast<std::size_t>(axis))) fail(path, "cut short");
                size *= static_cast<std::size_t>(axis);
            }
            if (place[1] > room || place[0] > place[1] || place[1] - place[0] != size) fail(path, "cut short");
            at::Tensor tensor = at::empty(shape, type->type);
            if (size > 0) std::memcpy(tensor.data_ptr(), bytes.data() + data + place[0], size);
            checkpoint.tensors[name] = tensor;
        }
    } catch (const nlohmann::json::exception&) {
        fail(path, "its head is damaged");
    }
    return checkpoint;
}

}  // namespace ouaf
