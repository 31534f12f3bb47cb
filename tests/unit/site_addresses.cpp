// Which addresses stand in the files of a page, and where they lead.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "native/site/addresses.hpp"

using namespace ouaf::site;

namespace {

std::vector<std::string> texts(std::string_view path, std::string_view content) {
    std::vector<std::string> found;
    for (const Address& address : addresses_in(path, content)) found.push_back(address.text);
    std::ranges::sort(found);
    return found;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("addresses of a web page, a style sheet and a manifest") {
    CHECK(texts("index.html",
                R"(<link rel="icon" href='icon.svg'><script src = "x.js"></script><script src="main.js"></script>)") ==
          List{"icon.svg", "main.js"});
    CHECK(texts("index.html", R"(<b data-src="no" hrefs="no">)").empty());
    CHECK(texts("style.css", "@import \"a.css\"; b { background: url(c.png) } d { cursor: url( 'e.svg' ) }") ==
          List{"a.css", "c.png", "e.svg"});
    CHECK(texts("manifest.webmanifest",
                R"({ "start_url": "./", "icons": [{ "src": "a.png", "type": "image/png" }] })") == List{"./", "a.png"});
    CHECK(texts("icon.svg", R"(<svg xmlns="http://www.w3.org/2000/svg">)").empty());
}

TEST_CASE("addresses of a script") {
    CHECK(texts("a.js",
                "import { b } from \"./b.js\";\nimport'./c.js';import(\"./d.js\")\nnew URL('../e', import.meta.url)") ==
          List{"../e", "./b.js", "./c.js", "./d.js"});
    CHECK(texts("a.mjs",
                "import{b as c}from\"./b.js\";Array.from(\"xyz\");transform\"no\";[\"copy-from\"];say(\"far from\" + "
                "\"a b\")") == List{"./b.js"});
    CHECK(texts("a.mjs", "throw new Error(`No way from 'int8' to ${type}`)\nimport a from 'b'\n") == List{"b"});
    CHECK(
        texts("a.js",
              "  // import x from \"./an_example.js\";\n/** @type {import(\"./types.js\").T} */\n * from \"./c.js\"\n")
            .empty());
    const std::vector<Address> made = addresses_in("a.js", "fetch(`kept/${hash}`)");
    REQUIRE(made.size() == 1);
    CHECK(made[0].text == "kept/");
    CHECK_FALSE(made[0].whole);
}

TEST_CASE("a host named anywhere in a script is found, the name of a vocabulary is none") {
    CHECK(texts("a.js", "const cdn = \"https://example.org/lib\"; load(cdn + '/x.js');") ==
          List{"https://example.org/lib"});
    CHECK(texts("a.js", "open('wss://example.org')") == List{"wss://example.org"});
    CHECK(texts("a.js", "make(\"http://www.w3.org/2000/svg\", \"svg\"); say(\"See https://example.org\")").empty());
}

TEST_CASE("absolute addresses") {
    for (const char* address :
         {"https://example.org/a", "//example.org/a", "/a.js", "data:text/plain,a", "\\\\host\\a"})
        CHECK(is_absolute(address));
    for (const char* address : {"a.js", "./a.js", "../a.js", "a/b:c", "#dog", "", ":a"})
        CHECK_FALSE(is_absolute(address));
}

TEST_CASE("where relative addresses lead") {
    CHECK(resolved("lib/a.js", "./b.js") == "lib/b.js");
    CHECK(resolved("lib/a.js", "../worker.js?x=1#y") == "worker.js");
    CHECK(resolved("index.html", "main.js") == "main.js");
    CHECK(resolved("lib/a.js", "../../up.js") == "../up.js");
    CHECK(resolved("index.html", "lib/../../up.js") == "../up.js");
}
