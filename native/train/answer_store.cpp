// See answer_store.hpp. A record is the key and the logits, as they lie in memory.
#include "native/train/answer_store.hpp"

#include <ATen/ATen.h>

#include <cstring>
#include <stdexcept>
#include <string_view>

#include "native/files/files.hpp"
#include "native/files/fnv1a.hpp"

namespace ouaf {
namespace {

std::size_t record_bytes(std::size_t classes) { return sizeof(std::uint64_t) + classes * sizeof(float); }

}  // namespace

AnswerStore::AnswerStore(const std::filesystem::path& file, std::int64_t classes)
    : file_(file), classes_(static_cast<std::size_t>(classes)) {
    std::filesystem::create_directories(file.parent_path());
    const std::size_t record = record_bytes(classes_);
    if (std::filesystem::exists(file)) {
        const std::vector<std::uint8_t> bytes = read_file(file);
        const std::size_t whole = bytes.size() / record * record;
        for (std::size_t start = 0; start < whole; start += record) {
            std::uint64_t key = 0;
            std::memcpy(&key, bytes.data() + start, sizeof key);
            keep(key, bytes.data() + start + sizeof key);
        }
        if (whole < bytes.size()) std::filesystem::resize_file(file, whole);
    }
    out_.open(file, std::ios::binary | std::ios::app);
    if (!out_) throw std::runtime_error(file.string() + ": can't be written; choose another folder by OUAF_CACHE");
}

std::uint64_t AnswerStore::key_of(const at::Tensor& image) {
    const at::Tensor values = image.contiguous();
    return fnv1a(
        {static_cast<const char*>(values.const_data_ptr()), static_cast<std::size_t>(values.numel()) * sizeof(float)});
}

at::Tensor AnswerStore::find(std::uint64_t key) const {
    const auto found = answers_.find(key);
    return found == answers_.end() ? at::Tensor() : at::tensor(at::ArrayRef<float>(found->second, classes_));
}

void AnswerStore::keep(std::uint64_t key, const void* logits) {
    const auto [place, is_new] = answers_.try_emplace(key, nullptr);
    if (!is_new) return;
    auto* const kept = static_cast<float*>(memory_.allocate(classes_ * sizeof(float), alignof(float)));
    std::memcpy(kept, logits, classes_ * sizeof(float));
    place->second = kept;
}

void AnswerStore::add(std::span<const std::uint64_t> keys, const at::Tensor& logits) {
    std::string records;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const at::Tensor row = logits[static_cast<std::int64_t>(i)].contiguous();
        records.append(reinterpret_cast<const char*>(&keys[i]), sizeof keys[i]);
        records.append(static_cast<const char*>(row.const_data_ptr()), record_bytes(classes_) - sizeof keys[i]);
        keep(keys[i], row.const_data_ptr());
    }
    out_.write(records.data(), static_cast<std::streamsize>(records.size()));
    out_.flush();
    if (!out_) throw std::runtime_error(file_.string() + ": can't be written; is the disk full?");
}

}  // namespace ouaf
