// MNIST and CIFAR-10 as their files are laid out, and what is said about broken ones.
#include <unistd.h>

#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "native/data/pictures.hpp"
#include "native/data/pixel_set.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

namespace {

struct Folder {
    fs::path path = fs::temp_directory_path() / ("ouaf-pixels-" + std::to_string(::getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }

    void write(const std::string& name, const std::vector<int>& bytes) const {
        std::ofstream file(path / name, std::ios::binary);
        for (const int byte : bytes) file.put(static_cast<char>(byte));
    }
};

std::vector<int> idx(std::vector<int> head, std::size_t values) {
    for (std::size_t i = 0; i < values; ++i) head.push_back(static_cast<int>(i % 10));
    return head;
}

}  // namespace

TEST_CASE("MNIST's files are read, and broken ones named") {
    const Folder folder;
    folder.write("train-images-idx3-ubyte", idx({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, 24));
    folder.write("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 7, 3});
    const auto set = open_pixel_set(folder.path, Split::train);
    REQUIRE(set);
    CHECK(set->count() == 2);
    CHECK(set->height == 3);
    CHECK(set->width == 4);
    CHECK(set->labels == std::vector<std::int64_t>{7, 3});
    CHECK(set->pixels[13] == 3);
    CHECK(set->classes.size() == 10);
    CHECK_FALSE(open_pixel_set(folder.path / "nothing", Split::train));
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::test),
                      Catch::Contains("t10k-images-idx3-ubyte: No such file"));

    folder.write("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 7, 11});
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::train), Catch::Contains("has the label 11"));
    folder.write("train-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 1, 7});
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::train), Catch::Contains("has 1 labels for 2 pictures"));
    folder.write("train-images-idx3-ubyte",
                 {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1});
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::train), Catch::Contains("says it is endless"));
    folder.write("train-images-idx3-ubyte", {0, 0, 8});
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::train),
                      Catch::Contains("not an IDX file of bytes with 3 axes"));
}

TEST_CASE("CIFAR-10's planes become pixels") {
    const Folder folder;
    std::vector<int> record(3073, 0);
    record[0] = 9;
    record[1 + 5] = 10;             // red of pixel 5
    record[1 + 1024 + 5] = 20;      // green
    record[1 + 2 * 1024 + 5] = 30;  // blue
    folder.write("data_batch_1.bin", record);
    folder.write("test_batch.bin", record);
    const auto set = open_pixel_set(folder.path, Split::test);
    REQUIRE(set);
    CHECK(set->labels == std::vector<std::int64_t>{9});
    CHECK(std::vector<int>(set->pixels.begin() + 15, set->pixels.begin() + 18) == std::vector<int>{10, 20, 30});
    record.pop_back();
    folder.write("test_batch.bin", record);
    CHECK_THROWS_WITH(open_pixel_set(folder.path, Split::test),
                      Catch::Contains("not a whole number of CIFAR-10 pictures"));
}

TEST_CASE("a part of each class is set apart, the same for a seed") {
    PixelSet set{1, 1, 1, {}, {}, {class_of_folder("a"), class_of_folder("b")}};
    for (int i = 0; i < 100; ++i) {
        set.pixels.push_back(static_cast<std::uint8_t>(i));
        set.labels.push_back(i < 80 ? 0 : 1);
    }
    const Pictures all = pictures_of(set);
    const auto [kept, taken] = split_pictures(all, 0.1, 5);
    CHECK(kept.count() == 90);
    CHECK((taken.labels == 0).sum().item<int>() == 8);
    CHECK(at::equal(std::get<0>(at::cat({kept.rows, taken.rows}).sort()), all.rows));
    const auto first = at::arange(taken.count(), at::kLong);
    CHECK(at::equal(taken.gather(first).reshape(-1), taken.rows.to(at::kByte)));  // pictures of the value of their row
    CHECK(at::equal(split_pictures(all, 0.1, 5).second.rows, taken.rows));
    CHECK_FALSE(at::equal(split_pictures(all, 0.1, 6).second.rows, taken.rows));
}
