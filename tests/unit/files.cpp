// Files that appear whole or not at all.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "native/files/files.hpp"
#include "tests/unit/folder.hpp"

using namespace ouaf;

TEST_CASE("what can't be written leaves the old file whole and nothing beside it") {
    const Folder folder;
    const std::filesystem::path path = folder.root / "state";
    write_text(path, "old");
    std::signal(SIGXFSZ, SIG_IGN);  // then a file above the limit is an error of write, as on a full disk
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 1000;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string message;
    try {
        write_text(path, std::string(5000, 'n'));
    } catch (const std::runtime_error& error) {
        message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
    CHECK(message == path.string() + ": File too large");
    CHECK(read_text(path) == "old");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.root), {}) == 1);
}
