// See workplace.hpp.
#include "tests/dashboard/workplace.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "native/files/files.hpp"

namespace ouaf::dashboard {
namespace fs = std::filesystem;

Workplace::Workplace() : folder(fs::temp_directory_path() / "ouaf-dashboard") {
    fs::remove_all(folder);
    fs::create_directories(folder / "recipes");
    setenv("OUAF_CACHE", (folder / "cache").c_str(), 1);
    const std::string shapes = folder / "shapes";
    REQUIRE(std::system((OUAF_PYTHON " " OUAF_DRAWN_SHAPES " " + shapes + " 16 48").c_str()) == 0);
    write_text(folder / "recipes" / "shapes.toml", "name = \"shapes\"\ndata = \"" + shapes + R"("
network = "cats_and_dogs_cnn"
validation = 0.25
[train]
epochs = 400
batch = 12
size = 48
learning_rate = 0.001
optimizer = "adam"
[augment]
flip = 0.5
)");
    fs::current_path(folder);
}

Workplace::~Workplace() { fs::current_path("/"); }

fs::path Workplace::photo(const std::string& name) const { return folder / "shapes" / "test" / name; }

std::vector<nlohmann::json> events_of(const fs::path& run, const std::string& kind) {
    std::vector<nlohmann::json> events;
    std::ifstream lines(run / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);) {
        auto event = nlohmann::json::parse(line, nullptr, false);
        if (event.is_object() && event.value("event", "") == kind) events.push_back(std::move(event));
    }
    return events;
}

}  // namespace ouaf::dashboard
