// How a data set is cut: the shares, the seed, the subsets, and the list that says it again.
#include "native/data/partition.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <set>

#include "folder.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string>;

// "split class: path", all of a partition
Lines all_of(const Folder& folder, const Partition& parts) {
    Lines lines;
    for (const auto& [name, part] : {std::pair{"train ", &parts.train}, std::pair{"validation ", &parts.validation},
                                     std::pair{"test ", &parts.test}})
        for (const std::string& line : folder.list(*part)) lines.push_back(name + line);
    return lines;
}

std::set<std::string> as_set(const Lines& lines) { return {lines.begin(), lines.end()}; }

}  // namespace

TEST_CASE("shares cut every class as the seed says, the same on every machine", "[data]") {
    const Folder folder;
    folder.write_photos("a", 10);
    folder.write_photos("b", 10);
    DataRecipe recipe{.root = folder.root, .split = {0.6, 0.2, 0.2}, .classes = {}, .seed = 7};
    const Partition parts = open_partition(recipe);
    // Computed apart from this program, by the 64-bit Mersenne Twister of Matsumoto and Nishimura in Python: of class a
    // the order is 2 1 3 6 9 7 | 5 8 | 0 4, of class b 3 1 7 9 8 4 | 5 2 | 6 0.
    CHECK(folder.list(parts.train) == Lines{"a: a/1.jpg", "a: a/2.jpg", "a: a/3.jpg", "a: a/6.jpg", "a: a/7.jpg",
                                            "a: a/9.jpg", "b: b/1.jpg", "b: b/3.jpg", "b: b/4.jpg", "b: b/7.jpg",
                                            "b: b/8.jpg", "b: b/9.jpg"});
    CHECK(folder.list(parts.validation) == Lines{"a: a/5.jpg", "a: a/8.jpg", "b: b/2.jpg", "b: b/5.jpg"});
    CHECK(folder.list(parts.test) == Lines{"a: a/0.jpg", "a: a/4.jpg", "b: b/0.jpg", "b: b/6.jpg"});

    recipe.classes = {"b"};
    CHECK(folder.list(open_partition(recipe).test) == Lines{"b: b/0.jpg", "b: b/6.jpg"});
    recipe.seed = 8;
    CHECK(folder.list(open_partition(recipe).test) != Lines{"b: b/0.jpg", "b: b/6.jpg"});
}

TEST_CASE("each share is met to within one photo, and no photo is lost or twice", "[data]") {
    const std::array<double, 3> split =
        GENERATE(std::array{0.6, 0.2, 0.2}, std::array{0.7, 0.3, 0.0}, std::array{1 / 3.0, 1 / 3.0, 1 / 3.0},
                 std::array{1.0, 0.0, 0.0}, std::array{0.01, 0.0, 0.99});
    for (int n = 1; n <= 24; ++n) {
        const Folder folder;
        folder.write_photos("a", n);
        const Partition parts = open_partition({.root = folder.root, .split = split, .classes = {}, .seed = 1});
        const std::array sizes{parts.train.samples.size(), parts.validation.samples.size(), parts.test.samples.size()};
        CHECK(sizes[0] + sizes[1] + sizes[2] == static_cast<std::size_t>(n));
        CHECK(as_set(all_of(folder, parts)).size() == static_cast<std::size_t>(n));
        CHECK(sizes[0] >= 1);
        for (std::size_t i = 0; i < 3; ++i)  // 1 of rounding two borders; the one photo to train on may cost another
            CHECK(std::abs(static_cast<double>(sizes[i]) - split[i] * n) <= 1 + 1e-9);
    }
}

TEST_CASE("without shares: every fifth photo is the test, and validation comes from training", "[data]") {
    const Folder folder;
    folder.write_photos("a", 9);
    folder.write_photos("b", 5);
    folder.write_photos("c", 4);
    Partition parts = open_partition({.root = folder.root, .validation = 0, .classes = {}});
    CHECK(folder.list(parts.test) == Lines{"a: a/4.jpg", "b: b/4.jpg"});
    CHECK(parts.validation.samples.empty());
    CHECK(parts.train.samples.size() == 16);
    parts = open_partition({.root = folder.root, .validation = 0.25, .classes = {}});
    CHECK(folder.list(parts.test) == Lines{"a: a/4.jpg", "b: b/4.jpg"});
    CHECK(parts.validation.samples.size() == 4);  // 2 of 8, 1 of 4, 1 of 4
    CHECK(parts.train.samples.size() == 12);
    CHECK(as_set(all_of(folder, parts)).size() == 18);
    for (const Dataset* part : {&parts.train, &parts.validation, &parts.test}) CHECK(part->classes.size() == 3);
}

TEST_CASE("a data set's own division holds, and shares take its place", "[data]") {
    const Folder folder;
    folder.write_photos("train/a", 8);
    folder.write_photos("val/a", 1);
    folder.write_photos("test/a", 1);
    Partition parts = open_partition({.root = folder.root, .validation = 0.5, .classes = {}});
    CHECK(parts.train.samples.size() == 8);
    CHECK(folder.list(parts.validation) == Lines{"a: val/a/0.jpg"});
    CHECK(folder.list(parts.test) == Lines{"a: test/a/0.jpg"});
    parts = open_partition({.root = folder.root, .split = {0.5, 0.0, 0.5}, .classes = {}});
    CHECK(parts.train.samples.size() == 5);
    CHECK(parts.test.samples.size() == 5);
}

TEST_CASE("a subset of the classes, by folder, id or name", "[data]") {
    const Folder folder;
    for (const char* name : {"n02085936-Maltese_dog", "n02099601-golden_retriever", "n02110958-pug", "cat"})
        folder.write_photos(name, 2);
    const auto classes_of = [&](std::vector<std::string> classes) {
        std::string names;
        const Partition parts = open_partition({.root = folder.root, .classes = std::move(classes)});
        for (const DatasetClass& c : parts.train.classes) names += c.name + ";";
        for (const Sample& sample : parts.train.samples)
            CHECK(sample.path.parent_path().filename() == parts.train.classes.at(sample.label).folder);
        return names;
    };
    CHECK(classes_of({}) == "cat;Maltese dog;golden retriever;pug;");
    CHECK(classes_of({"pug", "n02085936-Maltese_dog", "n02099601"}) == "Maltese dog;golden retriever;pug;");
    CHECK_THROWS_WITH(classes_of({"retriever", "pug", "maltesedog"}),
                      Catch::Contains("'retriever' is no class of it, near ones are 'golden retriever', ") &&
                          Catch::Contains("; 'maltesedog' is no class of it, near ones are 'Maltese dog', "));
}

TEST_CASE("a class that nothing can be learned of is refused", "[data]") {
    const Folder folder;
    folder.write_photos("train/a", 2);
    folder.write_photos("test/b", 2);
    CHECK_THROWS_WITH(open_partition({.root = folder.root, .classes = {}}),
                      Catch::Contains("the class 'b' has no photo to train on"));
    CHECK_NOTHROW(open_partition({.root = folder.root, .classes = {"a"}}));
}

TEST_CASE("a partition that is written is opened again as it was", "[data]") {
    const Folder folder;
    folder.write_photos("photos/a, \"b\"\n", 7);
    folder.write_photos("photos/c", 12);
    const bool beside = GENERATE(true, false);  // paths relative to the list, or absolute
    const Partition parts =
        open_partition({.root = folder.root / "photos", .split = {0.5, 0.3, 0.2}, .classes = {}, .seed = 3});
    fs::create_directories(folder.root / "runs");
    const fs::path list = folder.root / (beside ? "split.csv" : "runs/split.csv");
    write_partition(list, parts);
    const Partition again = open_partition({.root = list, .classes = {}, .seed = 99});
    CHECK(all_of(folder, again) == all_of(folder, parts));
    CHECK(again.test.classes.at(0).folder == "a, \"b\"\n");
    std::string line;
    std::ifstream file(list);
    std::getline(file, line);
    CHECK(line == "file,class,split");
    if (!beside) return;
    fs::rename(folder.root / "photos", folder.root / "moved_photos");  // a list moves with what lies below its folder
    fs::create_directories(folder.root / "elsewhere");
    fs::rename(folder.root / "moved_photos", folder.root / "elsewhere" / "photos");
    fs::rename(list, folder.root / "elsewhere" / "split.csv");
    for (const Sample& sample :
         open_partition({.root = folder.root / "elsewhere" / "split.csv", .classes = {}}).test.samples)
        CHECK(fs::exists(sample.path));
}

TEST_CASE("a CSV file without splits is divided as folders are", "[data]") {
    const Folder folder;
    folder.write(
        "photos.csv",
        "\xEF\xBB\xBF"
        "file,class\r\nx/5.jpg,a\r\nx/4.jpg,a\r\nx/3.jpg,a\r\nx/2.jpg,a\r\n\"x/1,\"\".jpg\",a\r\n/y/6.jpg,b\r\n");
    const Partition parts = open_partition({.root = folder.root / "photos.csv", .validation = 0, .classes = {}});
    CHECK(folder.list(parts.test) == Lines{"a: x/5.jpg"});
    CHECK(parts.train.samples.back().path == "/y/6.jpg");
    CHECK(parts.train.samples.size() == 5);
}

TEST_CASE("a list of 100,000 photos opens in under two seconds", "[data]") {
    const Folder folder;
    std::string text = "file,class,split\n";
    for (int i = 0; i < 100'000; ++i) {
        text += "photos/class_" + std::to_string(i % 1000) + "/photo_" + std::to_string(i) + ".jpg,class_" +
                std::to_string(i % 1000) + (i / 1000 % 5 == 0 ? ",test\n" : ",train\n");
    }
    folder.write("list.csv", text);
    const std::clock_t start = std::clock();  // the processor's time: other programs don't count
    const Partition parts = open_partition({.root = folder.root / "list.csv", .classes = {}});
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    CHECK(parts.train.samples.size() + parts.validation.samples.size() == 80'000);
    CHECK(seconds < 2);
    WARN("100,000 photos of 1,000 classes opened in " << seconds << " s");
}
