// Difference hashes, and the groups that they make.
#include <bit>
#include <catch2/catch.hpp>
#include <random>

#include "native/data/difference_hash.hpp"

using namespace ouaf;

TEST_CASE("the difference hash of pictures that can be read off", "[data]") {
    Image stripes(9, 8);  // at its own size nothing is resampled
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 9; ++x)
            for (int c = 0; c < 3; ++c) stripes.row(y)[3 * x + c] = x % 2 == 0 ? 0 : 255;
    CHECK(difference_hash(thumbnail_of(stripes)) == 0xAAAAAAAAAAAAAAAA);  // brighter, darker, …
    stripes.row(0)[0] = stripes.row(0)[1] = stripes.row(0)[2] = 255;
    CHECK(difference_hash(thumbnail_of(stripes)) ==
          0x2AAAAAAAAAAAAAAA);  // the first pair is the highest bit; equal is 0
    CHECK(difference_hash(thumbnail_of(Image(300, 200))) == 0);
}

TEST_CASE("groups of like hashes are those that comparing all pairs finds", "[data]") {
    std::mt19937_64 random(1);
    const int bits = GENERATE(0, 1, 2, 3);
    const std::size_t kinds = GENERATE(1, 2);  // pictures of two kinds, every second one, are never the same
    const auto same = [&](std::size_t a, std::size_t b) { return a % kinds == b % kinds; };
    std::vector<std::uint64_t> hashes;
    for (int i = 0; i < 300; ++i) {
        // Some anew, some a few bits off an earlier one.
        std::uint64_t hash = i < 100 ? random() : hashes[random() % hashes.size()];
        for (std::uint64_t flips = random() % 5; flips > 0; --flips) hash ^= std::uint64_t{1} << random() % 64;
        hashes.push_back(hash);
    }
    std::vector<std::size_t> group(hashes.size());  // by spreading the smallest index until nothing changes
    for (std::size_t i = 0; i < group.size(); ++i) group[i] = i;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t a = 0; a < group.size(); ++a)
            for (std::size_t b = 0; b < group.size(); ++b)
                if (std::popcount(hashes[a] ^ hashes[b]) <= bits && same(a, b) && group[a] > group[b]) {
                    group[a] = group[b];
                    changed = true;
                }
    }
    std::vector<std::vector<std::size_t>> members(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) members[group[i]].push_back(i);
    std::erase_if(members, [](const auto& photos) { return photos.size() < 2; });
    CHECK(members.size() > 10);
    CHECK(alike(hashes, bits, same) == members);
}

TEST_CASE("one picture, lit in another way, is not taken for another of the same hash", "[data]") {
    Thumbnail bright{}, dim{}, other{}, plain{}, plainer{};
    for (std::size_t i = 0; i < bright.size(); ++i) {
        const std::size_t x = i % 9;
        bright[i] = static_cast<std::uint8_t>(20 * x + i / 9 * 8);  // ramps to the right, and downwards
        dim[i] = static_cast<std::uint8_t>(bright[i] / 2 + 10);
        other[i] = static_cast<std::uint8_t>(x + (7 - i / 9) * 30);  // upwards
        plain[i] = 100;
        plainer[i] = static_cast<std::uint8_t>(100 + i % 2);
    }
    CHECK(difference_hash(bright) == difference_hash(other));
    CHECK(same_picture(bright, dim));
    CHECK_FALSE(same_picture(bright, other));
    CHECK(same_picture(plain, plainer));
    plain.fill(110);
    CHECK_FALSE(same_picture(plain, plainer));
}
