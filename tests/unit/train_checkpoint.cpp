// Checkpoints on the disk.
#include <unistd.h>

#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "native/train/checkpoint.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

TEST_CASE("a checkpoint comes back as it was, and a broken one is named") {
    const fs::path path = fs::temp_directory_path() / ("ouaf-checkpoint-" + std::to_string(::getpid()));
    const Checkpoint saved{{{"w", at::rand({3, 4})},
                            {"bytes", at::arange(5).to(at::kByte)},
                            {"order", at::arange(7)},
                            {"one", at::scalar_tensor(2.5, at::kDouble)},
                            {"none", at::empty({0, 3})}},
                           R"({"epoch": 3})"};
    save_checkpoint(path, saved);
    const Checkpoint again = load_checkpoint(path);
    CHECK(again.facts == saved.facts);
    REQUIRE(again.tensors.size() == saved.tensors.size());
    for (const auto& [name, tensor] : saved.tensors) {
        CHECK(again.tensors.at(name).scalar_type() == tensor.scalar_type());
        CHECK(at::equal(again.tensors.at(name), tensor));
    }

    std::ifstream file(path, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
        CHECK_THROWS_WITH(load_checkpoint(path), Catch::Contains("resume from another checkpoint"));
    }
    std::string damaged = whole;
    damaged[20] = '}';
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    CHECK_THROWS_WITH(load_checkpoint(path), Catch::Contains("its head is damaged"));
    fs::remove(path);
}
