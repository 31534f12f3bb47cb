// Answers that are kept on the disk.
#include "native/train/answer_store.hpp"

#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "tests/unit/folder.hpp"

using namespace ouaf;

TEST_CASE("Answers are found again, by another store and after a record was cut off", "[train]") {
    const Folder folder;
    const auto file = folder.root / "answers" / "one";
    at::manual_seed(1);
    const at::Tensor images = at::randn({3, 3, 8, 8});
    const at::Tensor logits = at::randn({3, 5});
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = 0; i < 3; ++i) keys.push_back(AnswerStore::key_of(images[i]));
    {
        AnswerStore store(file, 5);
        CHECK_FALSE(store.find(keys[0]).defined());
        store.add(keys, logits);
        CHECK(at::equal(store.find(keys[2]), logits[2]));
    }
    AnswerStore whole(file, 5);
    for (std::int64_t i = 0; i < 3; ++i) CHECK(at::equal(whole.find(keys[static_cast<std::size_t>(i)]), logits[i]));
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 3);
    AnswerStore cut(file, 5);
    CHECK(cut.find(keys[1]).defined());
    CHECK_FALSE(cut.find(keys[2]).defined());
    cut.add(std::span(keys).subspan(2), logits.narrow(0, 2, 1));
    CHECK(at::equal(AnswerStore(file, 5).find(keys[2]), logits[2]));
}

TEST_CASE("A picture has one key however it lies in memory, and another picture another", "[train]") {
    at::manual_seed(2);
    const at::Tensor images = at::randn({2, 3, 8, 8});
    const at::Tensor last = images.contiguous(at::MemoryFormat::ChannelsLast);
    CHECK(AnswerStore::key_of(images[0]) == AnswerStore::key_of(last[0]));
    CHECK(AnswerStore::key_of(images[0]) != AnswerStore::key_of(images[1]));
}
