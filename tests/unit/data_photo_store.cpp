// Stored photos: the bytes that shared/preprocess makes, once; again what changed; whole whatever happens meanwhile.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <thread>

#include "native/data/photo_store.hpp"
#include "native/data/pictures.hpp"
#include "native/files/files.hpp"
#include "tests/unit/folder.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;

namespace {

namespace fs = std::filesystem;

struct Photos {
    Folder folder;
    std::vector<Sample> samples;
    std::vector<std::optional<Box>> boxes;
    std::size_t decoded = 0;  // by the last call of stored
    std::atomic<bool> stop = false;

    Photos() {
        for (int i = 0; i < 5; ++i) write(i, test::scene(40 + 7 * i, 60 - 5 * i));
    }
    void write(int i, const Image& image) {
        const fs::path path = folder.root / "photos" / (std::to_string(i) + ".jpg");
        fs::create_directories(path.parent_path());
        write_file(path, test::jpeg(image));
        if (samples.size() <= static_cast<std::size_t>(i)) samples.push_back({path, 0});
    }
    StoredPhotos stored(const StoredForm& form) {
        decoded = 0;
        return store_photos(
            folder.root / "photos", samples, boxes, form, folder.root / "cache", stop,
            {[&](std::size_t photos, std::uintmax_t, const fs::path&) { decoded = photos; }, [](double) {}});
    }
    fs::path only_store() const { return fs::directory_iterator(folder.root / "cache")->path(); }
};

at::Tensor bytes_of(const Image& image) {
    return at::tensor(at::ArrayRef<std::uint8_t>(image.rgb), at::kByte).view({image.height, image.width, 3});
}

}  // namespace

TEST_CASE("what a network sees is stored to the bit", "[store]") {
    Photos photos;
    PreprocessSpec spec;
    spec.size = 28;
    spec.resize = 32;
    const StoredPhotos stored = photos.stored({.seen = spec});
    const at::Tensor seen = normalised(stored.pixels.index_select(0, stored.rows), spec.mean, spec.std).contiguous();
    std::vector<float> expected(tensor_size(spec));
    for (std::size_t i = 0; i < photos.samples.size(); ++i) {
        preprocess(read_file(photos.samples[i].path), spec, expected);
        const auto* values = seen[static_cast<std::int64_t>(i)].const_data_ptr<float>();
        CHECK(std::equal(expected.begin(), expected.end(), values));
    }
}

TEST_CASE("a photo is stored whole and square, with its shape beside it, once", "[store]") {
    Photos photos;
    const StoredPhotos first = photos.stored({.side = 24});
    CHECK(photos.decoded == 5);
    const DecodedPhoto photo = decode(read_file(photos.samples[3].path), 24);
    CHECK(at::equal(first.pixels[first.rows[3].item<std::int64_t>()],
                    bytes_of(resize(photo.image, 24, 24, Filter::area, {0, 0, 24, 24}))));
    CHECK(first.aspects[3].item<float>() == Approx(61.0 / 45));

    CHECK(at::equal(photos.stored({.side = 24}).pixels, first.pixels));
    CHECK(photos.decoded == 0);
    photos.write(2, test::scene(30, 30));  // another photo of the same name
    photos.write(5, test::scene(50, 20));
    const StoredPhotos second = photos.stored({.side = 24});
    CHECK(photos.decoded == 2);
    CHECK(second.aspects[2].item<float>() == 1);
    CHECK(at::equal(second.pixels[second.rows[3].item<std::int64_t>()],
                    first.pixels[first.rows[3].item<std::int64_t>()]));
    std::swap(photos.samples[0], photos.samples[4]);  // another order, and not all
    photos.samples.resize(4);
    const StoredPhotos fewer = photos.stored({.side = 24});
    CHECK(photos.decoded == 0);
    CHECK(fewer.rows[0].item<std::int64_t>() == second.rows[4].item<std::int64_t>());
}

TEST_CASE("a box counts as the photo", "[store]") {
    Photos photos;
    const StoredPhotos whole = photos.stored({.side = 24});
    photos.boxes.resize(5);
    photos.boxes[3] = Box{0.25F, 0.2F, 0.5F, 0.6F};  // of 61 x 45 pixels: columns 15 to 46, rows 9 to 36
    const StoredPhotos stored = photos.stored({.side = 24});
    CHECK(photos.decoded == 1);  // the others are there
    const DecodedPhoto photo = decode(read_file(photos.samples[3].path), 1000);
    Image part(31, 27);
    for (int y = 0; y < 27; ++y) std::copy_n(photo.image.row(9 + y) + 3 * 15, 3 * 31, part.row(y));
    CHECK(at::equal(stored.pixels[stored.rows[3].item<std::int64_t>()],
                    bytes_of(resize(part, 24, 24, Filter::area, {0, 0, 24, 24}))));
    CHECK(stored.aspects[3].item<float>() == Approx(31.0 / 27));
    CHECK(stored.rows[2].item<std::int64_t>() == whole.rows[2].item<std::int64_t>());
}

TEST_CASE("what can't be read is named and the rest is there", "[store]") {
    Photos photos;
    write_text(photos.samples[1].path, "no photo");
    fs::remove(photos.samples[3].path);
    const StoredPhotos stored = photos.stored({.side = 16});
    CHECK(stored.samples == std::vector<std::size_t>{0, 2, 4});
    REQUIRE(stored.failures.size() == 2);
    CHECK(stored.failures[0].sample == 1);
    CHECK_THAT(stored.failures[1].cause, Catch::Contains("No such file"));
    Dataset data{photos.folder.root, {class_of_folder("a"), class_of_folder("b")}, photos.samples};
    data.samples[2].label = 1;
    CHECK(at::equal(pictures_of(stored, data).labels, at::tensor({0, 1, 0}, at::kLong)));
}

TEST_CASE("a store whose last line was cut short is mended", "[store]") {
    Photos photos;
    const StoredPhotos whole = photos.stored({.side = 16});
    const fs::path index = photos.only_store() / "index";
    const std::string lines = read_text(index);
    write_text(index, lines.substr(0, lines.size() - 3));
    const StoredPhotos mended = photos.stored({.side = 16});
    CHECK(photos.decoded == 1);
    CHECK(at::equal(mended.pixels.index_select(0, mended.rows), whole.pixels.index_select(0, whole.rows)));
}

TEST_CASE("two that start at once store each photo once", "[store]") {
    Photos photos;
    std::atomic<std::size_t> decoded = 0;
    std::array<at::Tensor, 2> pixels;
    {
        std::vector<std::jthread> both;
        for (at::Tensor& mine : pixels)
            both.emplace_back([&] {
                const StoredPhotos stored = store_photos(
                    photos.folder.root / "photos", photos.samples, {}, {.side = 16}, photos.folder.root / "cache",
                    photos.stop,
                    {[&](std::size_t count, std::uintmax_t, const fs::path&) { decoded += count; }, [](double) {}});
                mine = stored.pixels.index_select(0, stored.rows);
            });
    }
    CHECK(decoded == 5);
    CHECK(at::equal(pixels[0], pixels[1]));
}

TEST_CASE("stopped, it says what stays", "[store]") {
    Photos photos;
    photos.stop = true;
    CHECK_THROWS_WITH(photos.stored({.side = 16}), Catch::Contains("stopped; 0 of 5 new photos are stored and stay"));
}
