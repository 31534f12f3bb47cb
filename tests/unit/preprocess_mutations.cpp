// Damaged files by the thousand: whatever a file holds, decode() gives a picture or a PhotoError. Run under the debug
// preset's sanitizers this is a small fuzz test; the mutations are the same in every run.
#include <catch2/catch.hpp>
#include <random>

#include "shared/preprocess/decode.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using namespace ouaf::test;

namespace {

constexpr int mutations_a_file = 1000;

// One to four edits: a bit, a byte, a telling value, a piece cut out or doubled.
File mutated(File file, std::mt19937& random) {
    const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
        // Half of the edits go where the headers are.
        const std::size_t at = below(below(2) == 0 ? std::min<std::size_t>(file.size(), 64) : file.size());
        const std::size_t length = std::min(file.size() - at, 1 + below(16));
        const auto start = file.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = start + static_cast<std::ptrdiff_t>(length);
        switch (below(5)) {
            case 0: file[at] ^= static_cast<std::uint8_t>(1u << below(8)); break;
            case 1: file[at] = static_cast<std::uint8_t>(random()); break;
            case 2: file[at] = std::array<std::uint8_t, 4>{0x00, 0x7F, 0x80, 0xFF}[below(4)]; break;
            case 3:
                if (file.size() > 64) file.erase(start, end);
                break;
            default: file = joined({File(file.begin(), end), File(start, file.end())}); break;
        }
    }
    return file;
}

}  // namespace

TEST_CASE("a damaged file gives a picture or a PhotoError", "[preprocess][mutations]") {
    std::mt19937 random(20261123);
    for (const auto& [name, file] : small_files()) {
        int pictures = 0, errors = 0;
        for (int i = 0; i < mutations_a_file; ++i) {
            INFO(name << ", mutation " << i);
            try {
                const DecodedPhoto photo = decode(mutated(file, random), 17);
                const Image& image = photo.image;
                REQUIRE(image.width > 0);
                REQUIRE(image.height > 0);
                REQUIRE(image.rgb.size() == std::size_t{3} * static_cast<std::size_t>(image.width) *
                                                static_cast<std::size_t>(image.height));
                REQUIRE(photo.width >= image.width);
                REQUIRE(photo.height >= image.height);
                ++pictures;
            } catch (const PhotoError& error) {
                REQUIRE(std::string(error.what()).size() > 20);
                ++errors;
            }
        }
        INFO(name << ": " << pictures << " pictures, " << errors << " errors");
        CHECK(errors > mutations_a_file / 20);  // the mutations do hit something
    }
}
