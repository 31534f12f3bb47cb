// What a teacher has said of pictures, on the disk: asked again about the same pixels, in a later run that differs in
// its rates alone or in one that goes on, nobody needs to run it once more.
//
//     AnswerStore store(folder / "1f3a…", classes);
//     store.add(AnswerStore::key_of(image), logits);   // [classes] float32
//     at::Tensor known = store.find(key);              // undefined where it has not been asked
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory_resource>
#include <span>
#include <unordered_map>
#include <vector>

namespace ouaf {

class AnswerStore {
 public:
    // Reads what is there; a last record that was cut off is left out. Throws std::runtime_error "path: cause".
    AnswerStore(const std::filesystem::path& file, std::int64_t classes);

    // Of an image's elements, whatever their order in memory: FNV-1a over its float32.
    static std::uint64_t key_of(const at::Tensor& image);

    at::Tensor find(std::uint64_t key) const;

    // keys one a row of logits [n, classes]. Written in one piece, so that runs at once can share a file.
    void add(std::span<const std::uint64_t> keys, const at::Tensor& logits);

 private:
    void keep(std::uint64_t key, const void* logits);

    std::filesystem::path file_;
    std::size_t classes_;
    std::ofstream out_;
    // Answers stay to the end and batches come and go: between these, single ones would cut the heap into pieces that
    // no batch fits into again, 0.4 MB an answer. So they lie in large blocks of their own.
    std::pmr::monotonic_buffer_resource memory_{std::size_t{1} << 20};
    std::pmr::unordered_map<std::uint64_t, const float*> answers_{&memory_};
};

}  // namespace ouaf
