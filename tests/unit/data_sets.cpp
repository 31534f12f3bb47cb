// Data sets on disk: the layouts, the lists, and folders that are not what they should be.
#include "native/data/dataset.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "folder.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string>;

Dataset open(const fs::path& root, Split split) { return part_of(open_dataset(root), split); }

std::vector<std::string> ids(const Dataset& data) {
    std::vector<std::string> result;
    for (const DatasetClass& c : data.classes) result.push_back(c.id);
    return result;
}

}  // namespace

TEST_CASE("a class is named by its folder", "[data]") {
    const DatasetClass wordnet = class_of_folder("n02085936-Maltese_dog");
    CHECK(wordnet.folder == "n02085936-Maltese_dog");
    CHECK(wordnet.id == "n02085936");
    CHECK(wordnet.name == "Maltese dog");
    CHECK(class_of_folder("n02089078-black-and-tan_coonhound").name == "black-and-tan coonhound");
    const DatasetClass plain = class_of_folder("my_old_dog");
    CHECK(plain.id == "my_old_dog");
    CHECK(plain.name == "my old dog");
    for (const char* folder :
         {"n02085936", "n0208593-Maltese", "x02085936-Maltese", "n02085936-", "n0208593a-Maltese", ""}) {
        CHECK(class_of_folder(folder).id == folder);
    }
}

TEST_CASE("one folder a class: photos by name, classes by name, nothing else", "[data]") {
    const Folder folder;
    for (const char* file : {"b/2.JPG", "b/10.jpeg", "b/1.png", "a/x.webp", "a/y.BMP", "a/z.jpe"}) folder.write(file);
    for (const char* file : {"a/notes.txt", "a/.hidden.jpg", "a/film.mp4", "readme.md", "lonely.jpg", ".git/c.jpg",
                             "empty_of_photos/thumbs.db", "a/folder.jpg/inside.txt"}) {
        folder.write(file);
    }
    const Dataset data = open_evaluation_set(folder.root, std::nullopt);
    CHECK(ids(data) == Lines{"a", "b"});
    CHECK(folder.list(data) ==
          Lines{"a: a/x.webp", "a: a/y.BMP", "a: a/z.jpe", "b: b/1.png", "b: b/10.jpeg", "b: b/2.JPG"});
    CHECK(data.root == folder.root);
}

TEST_CASE("Stanford Dogs: the official lists", "[data]") {
    const Folder folder;
    folder.write("lists/train_list.txt", "n02085620-Chihuahua/1.jpg\nn02085936-Maltese_dog/2.jpg\n");
    folder.write("lists/test_list.txt", "n02085936-Maltese_dog/4.jpg\r\nn02085620-Chihuahua/3.jpg\r\n");
    folder.write_photos("Images/n02085620-Chihuahua", 6);
    folder.write_photos("Images/n02085936-Maltese_dog", 6);
    const Dataset training = open(folder.root, Split::train);
    CHECK(ids(training) == Lines{"n02085620", "n02085936"});
    CHECK(folder.list(training) == Lines{"n02085620-Chihuahua: Images/n02085620-Chihuahua/1.jpg",
                                         "n02085936-Maltese_dog: Images/n02085936-Maltese_dog/2.jpg"});
    const Lines test{"n02085936-Maltese_dog: Images/n02085936-Maltese_dog/4.jpg",
                     "n02085620-Chihuahua: Images/n02085620-Chihuahua/3.jpg"};
    CHECK(folder.list(open(folder.root, Split::test)) == test);
    CHECK(folder.list(open_evaluation_set(folder.root, std::nullopt)) == test);
}

TEST_CASE("folders train, test and validation; classes are those of all", "[data]") {
    const std::string name = GENERATE("val", "valid", "validation");
    const Folder folder;
    folder.write_photos("train/b", 1);
    folder.write_photos("test/a", 1);
    folder.write_photos(name + "/c", 1);
    CHECK(folder.list(open(folder.root, Split::train)) == Lines{"b: train/b/0.jpg"});
    CHECK(folder.list(open(folder.root, Split::validation)) == Lines{"c: " + name + "/c/0.jpg"});
    CHECK(folder.list(open(folder.root, Split::test)) == Lines{"a: test/a/0.jpg"});
    CHECK(ids(open(folder.root, Split::test)) == Lines{"a", "b", "c"});
}

TEST_CASE("folders train and test, the latter by any of its names", "[data]") {
    const std::string name = GENERATE("test", "val", "valid");
    const Folder folder;
    folder.write_photos("train/a", 2);
    folder.write_photos("train/b", 1);
    folder.write_photos(name + "/a", 1);
    CHECK(folder.list(open(folder.root, Split::train)) ==
          Lines{"a: train/a/0.jpg", "a: train/a/1.jpg", "b: train/b/0.jpg"});
    CHECK(folder.list(open(folder.root, Split::test)) == Lines{"a: " + name + "/a/0.jpg"});
    CHECK(folder.list(open_evaluation_set(folder.root, std::nullopt)) == Lines{"a: " + name + "/a/0.jpg"});
}

TEST_CASE("a class may be called train", "[data]") {
    const Folder folder;
    folder.write_photos("bus", 5);
    folder.write_photos("train", 5);
    const DividedDataset data = open_dataset(folder.root);
    CHECK(ids(data.all) == Lines{"bus", "train"});
    CHECK(data.all.samples.size() == 10);
    CHECK(data.splits.empty());
}

TEST_CASE("a list names photos and, after a comma, their classes", "[data]") {
    const Folder folder;
    const auto open = [&](const std::string& content) {
        folder.write("list.csv", content);
        return open_evaluation_set(folder.root, folder.root / "list.csv");
    };
    const Lines expected{"poodle: web/1.jpg", "n02085936-Maltese_dog: web/2.jpg"};
    const Dataset data = open("file,class\nweb/1.jpg,poodle\nweb/2.jpg,n02085936-Maltese_dog\n");
    CHECK(folder.list(data) == expected);
    CHECK(ids(data) == Lines{"n02085936", "poodle"});
    CHECK(folder.list(open("web/1.jpg,poodle\r\n\r\nweb/2.jpg,n02085936-Maltese_dog")) == expected);
    CHECK(folder.list(open("\xEF\xBB\xBF"
                           "file,class\r\nweb/1.jpg,poodle\r\nweb/2.jpg,n02085936-Maltese_dog")) == expected);
    CHECK(folder.list(open("b/1.jpg\na/2.jpg\n")) == Lines{"b: b/1.jpg", "a: a/2.jpg"});
    CHECK(open("/photos/b/1.jpg\n").samples.at(0).path == "/photos/b/1.jpg");
    CHECK(folder.list(open("\"one, \"\"two\"\".jpg\",poodle\r\n")) == Lines{"poodle: one, \"two\".jpg"});
    CHECK(folder.list(open("\"a\nb.jpg\",\"poodle\"")) == Lines{"poodle: a\nb.jpg"});
}

TEST_CASE("a list's photos lie under Images where there is such a folder", "[data]") {
    const Folder folder;
    folder.write_photos("Images/a", 1);
    folder.write("list.txt", "a/0.jpg\n");
    CHECK(folder.list(open_evaluation_set(folder.root, folder.root / "list.txt")) == Lines{"a: Images/a/0.jpg"});
}

TEST_CASE("a photo that a list names and that is missing stays: reading it will say so", "[data]") {
    const Folder folder;
    folder.write("list.txt", "a/gone.jpg\n");
    CHECK(folder.list(open_evaluation_set(folder.root, folder.root / "list.txt")) == Lines{"a: a/gone.jpg"});
}

TEST_CASE("lists that can't be used are refused", "[data]") {
    const Folder folder;
    const auto open = [&](const std::string& name) { return open_evaluation_set(folder.root, folder.root / name); };
    CHECK_THROWS_WITH(open("none.csv"), Catch::EndsWith("none.csv: the list can't be read; check its path"));
    folder.write("empty.csv", "file,class\n\n");
    CHECK_THROWS_WITH(open("empty.csv"), Catch::EndsWith("empty.csv: the list has no photos in it"));
    folder.write("classless.csv", "file,class\na/1.jpg,a\nphoto.jpg\n");
    CHECK_THROWS_WITH(open("classless.csv"), Catch::Contains("classless.csv:3: a line must be a photo's path"));
    folder.write("half.csv", "a/1.jpg,\n");
    CHECK_THROWS_WITH(open("half.csv"), Catch::Contains("half.csv:1: a line must be"));
    folder.write("nameless.csv", ",poodle\n");
    CHECK_THROWS_WITH(open("nameless.csv"), Catch::Contains("nameless.csv:1: a line must be"));
    folder.write("comma.csv", "one, two.jpg,poodle\n");
    CHECK_THROWS_WITH(open("comma.csv"), Catch::Contains("comma.csv:1: a third field must be a split"));
    folder.write("four.csv", "a.jpg,poodle,train,test\n");
    CHECK_THROWS_WITH(open("four.csv"), Catch::Contains("four.csv:1: a third field must be a split"));
    folder.write("some.csv", "a.jpg,poodle,test\n\"b\n.jpg\",poodle,test\nc.jpg,poodle\n");
    CHECK_THROWS_WITH(open("some.csv"), Catch::Contains("some.csv:4: some lines have a split and some don't"));
    folder.write("opened.csv", "a.jpg,poodle\n\"b.jpg,poodle\n\n");
    CHECK_THROWS_WITH(open("opened.csv"), Catch::Contains("opened.csv:2: a quote is opened and not closed"));
    folder.write("behind.csv", "\"a\".jpg,poodle\n");
    CHECK_THROWS_WITH(open("behind.csv"), Catch::Contains("behind.csv:1: text stands after a closing quote"));
    folder.write("trained.csv", "a.jpg,poodle,train\n");
    CHECK_THROWS_WITH(open("trained.csv"), Catch::Contains("trained.csv: none of its photos is of the test split"));
}

TEST_CASE("folders that are no data set are refused by their path", "[data]") {
    const Folder folder;
    const auto train = [&](const fs::path& path) { return open_dataset(path); };
    CHECK_THROWS_WITH(train(folder.root / "none"),
                      Catch::EndsWith("none: there is no such folder or CSV file; give the data set's"));
    CHECK_THROWS_WITH(open_evaluation_set(folder.root / "none", std::nullopt),
                      Catch::Contains("there is no such folder"));
    CHECK_THROWS_WITH(train(folder.root),
                      Catch::StartsWith(folder.root.string() + ": no photos are there; a data set has"));
    folder.write("a/notes.txt");
    folder.write("loose.jpg");
    CHECK_THROWS_WITH(train(folder.root), Catch::Contains("no photos are there"));
    CHECK_THROWS_WITH(train(folder.root / "loose.jpg"), Catch::Contains("there is no such folder"));
}

TEST_CASE("a folder that may not be read is named", "[data]") {
    if (geteuid() == 0) {
        WARN("skipped: root may read every folder");
        return;
    }
    const Folder folder;
    folder.write_photos("a", 5);
    folder.write_photos("locked", 5);
    fs::permissions(folder.root / "locked", fs::perms::none);
    CHECK_THROWS_WITH(open(folder.root, Split::train), Catch::Contains("locked: the folder can't be read"));
}
