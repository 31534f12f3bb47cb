// Runs read back: lines taken apart as nlohmann-json takes them apart, files that grow, are cut, and were cut short.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "native/train/event_line.hpp"
#include "native/train/run_log.hpp"
#include "native/train/run_summary.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

namespace {

// A folder with a run's files, gone at the end.
class RunFolder {
 public:
    explicit RunFolder(const std::string& metrics)
        : path(fs::temp_directory_path() / ("ouaf-" + std::to_string(::getpid()))) {
        fs::create_directory(path);
        write("recipe.toml", "name = \"a\"\n[train]\nepochs = 3\nbetas = [0.9, 0.99]\n");
        write("metrics.jsonl", metrics);
    }
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;
    ~RunFolder() { fs::remove_all(path); }

    void write(const std::string& name, const std::string& text, std::ios::openmode mode = std::ios::trunc) const {
        std::ofstream(path / name, mode) << text;
    }
    void add(const std::string& text) const { write("metrics.jsonl", text, std::ios::app); }

    fs::path path;
};

std::vector<double> numbers(const RunLog& log, std::string_view kind, std::string_view name) {
    const EventTable* table = log.find(kind);
    if (!table) return {};
    const std::span<const double> values = table->numbers(name);
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("a line is taken apart as nlohmann-json takes it apart", "[run_log]") {
    for (const char* text :
         {R"({"event":"epoch","epoch":3,"loss":0.12345678901234567,"top1":1e-300,"minus":-2.5E+3,"zero":-0.0})",
          R"({"event":"e","null":null,"yes":true,"no":false,"text":"w\u00e4ld \"x\"","empty":""})",
          R"({ "event" : "spaced" , "a" : 1 })", R"({"event":"list","mean":[0.1,0.2],"inner":{"a":1},"last":4})",
          R"({"event":"big","n":123456789012345678901234567890,"tiny":1e-5000})", "{}",
          R"({"a":1,"a":2,"event":"twice"})"}) {
        INFO(text);
        EventLine line;
        REQUIRE(parse_event_line(text, line));
        const auto json = nlohmann::json::parse(text);
        CHECK(line.kind() == json.value("event", ""));
        std::map<std::string, double> given;
        for (const auto& [name, value] : line.numbers) given[std::string(name)] = value;  // of two the last
        std::size_t flat = line.texts.size();
        for (const auto& [name, value] : json.items()) {
            if (value.is_number()) CHECK(given.at(name) == value.get<double>());
            if (value.is_boolean()) CHECK(given.at(name) == (value.get<bool>() ? 1 : 0));
            if (value.is_null()) CHECK(std::isnan(given.at(name)));
            if (value.is_string()) --flat;
            if (value.is_structured()) CHECK(given.count(name) == 0);
        }
        CHECK(flat == 0);
        for (const auto& [name, value] : line.texts) CHECK(json.at(std::string(name)) == std::string(value));
    }
    for (const char* text : {"", "{", "{\"event\":\"epoch\",\"loss\":0.1", "{\"a\":}", "{\"a\":inf}", "[1]", "3",
                             "{\"a\":1}}", "{\"a\":1,}", "{\"a\":1\"b\":2}", "nonsense", "{\"a\":-}", "{'a':1}"}) {
        INFO(text);
        EventLine line;
        CHECK_FALSE(parse_event_line(text, line));
    }
}

TEST_CASE("a run's events become columns, whatever they are", "[run_log]") {
    const RunFolder run(
        "{\"event\":\"start\",\"parameters\":10,\"mean\":[0.5],\"time\":100.5}\n"
        "{\"event\":\"epoch\",\"epoch\":1,\"validation_loss\":0.5,\"validation_top1\":0.8,\"images_per_second\":30,"
        "\"time\":101}\n"
        "not an event\n"
        "{\"no\":\"event\"}\n"
        "{\"event\":\"of another version\",\"weather\":\"rain\",\"degrees\":7}\n"
        "{\"event\":\"epoch\",\"epoch\":2,\"added\":5,\"validation_loss\":null,\"images_per_second\":10,\"time\":102}\n"
        "{\"event\":\"epoch\",\"epoch\":3,\"validation_loss\":0.4,\"validation_top1\":0.9,\"images_per_second\":20,"
        "\"time\":103}\n"
        "{\"event\":\"epo");
    RunLog log = read_run_log(run.path);
    CHECK(log.damaged == 2);
    CHECK(numbers(log, "epoch", "epoch") == std::vector<double>{1, 2, 3});
    const std::vector<double> added = numbers(log, "epoch", "added");
    REQUIRE(added.size() == 3);
    CHECK(std::isnan(added[0]));
    CHECK(added[1] == 5);
    CHECK(std::isnan(added[2]));
    CHECK(log.find("of another version")->texts("weather")[0] == "rain");
    CHECK(log.find("epoch")->numbers("nothing").empty());
    CHECK(log.find("test") == nullptr);

    RunSummary summary = summarise(log);
    CHECK_FALSE(summary.finished);
    CHECK(summary.epochs == 3);
    CHECK(summary.best_epoch == 3);
    CHECK(summary.validation_loss == 0.4);
    CHECK(summary.validation_top1 == 0.9);
    CHECK_FALSE(summary.validation_top5);
    CHECK(summary.images_per_second == 20);
    CHECK(summary.parameters == 10);
    CHECK(summary.time == 103);

    CHECK_FALSE(read_more(log));
    run.add("ch\",\"epoch\":4,\"validation_loss\":0.3}\n{\"event\":\"test\",\"top1\":0.7,\"cross_entropy\":1}\n");
    CHECK(read_more(log));
    CHECK(numbers(log, "epoch", "epoch") == std::vector<double>{1, 2, 3, 4});
    CHECK(numbers(log, "epoch", "added").size() == 4);
    summary = summarise(log);
    CHECK(summary.finished);
    CHECK(summary.best_epoch == 4);
    CHECK(summary.test_top1 == 0.7);

    // The run goes back to a checkpoint: shorter first, and then longer than what was read.
    for (const int epochs : {2, 60}) {
        std::string text;
        for (int epoch = 1; epoch <= epochs; ++epoch)
            text += R"({"event":"epoch","epoch":)" + std::to_string(epoch) + R"(,"loss":0.125})" + "\n";
        run.write("metrics.jsonl", text);
        CHECK(read_more(log));
        CHECK(log.tables.size() == 1);
        CHECK(log.find("epoch")->rows == static_cast<std::size_t>(epochs));
        CHECK(log.damaged == 0);
    }
}

TEST_CASE("heads are finished when they are exported", "[run_log]") {
    const std::string test = R"({"event":"test","weights":"float32","top1":0.5})"
                             "\n";
    const RunFolder run(R"({"event":"iteration","iteration":1,"loss":2})"
                        "\n" +
                        test);
    CHECK_FALSE(summarise(read_run_log(run.path)).finished);
    CHECK(summarise(read_run_log(run.path)).iterations == 1);
    run.add(R"({"event":"test","weights":"int8","top1":0.4})"
            "\n"
            R"({"event":"exported","model":"m"})"
            "\n");
    const RunSummary summary = summarise(read_run_log(run.path));
    CHECK(summary.finished);
    CHECK(summary.test_top1 == 0.4);
}

TEST_CASE("what is no run, a run without events, and a recipe's keys", "[run_log]") {
    const RunFolder run("");
    CHECK(read_run_log(run.path).tables.empty());
    CHECK_FALSE(summarise(read_run_log(run.path)).time);
    const std::map<std::string, std::string> keys{{"name", "a"}, {"train.epochs", "3"}, {"train.betas", "[0.9, 0.99]"}};
    CHECK(recipe_keys(run.path) == keys);
    CHECK_THROWS_WITH(read_run_log(run.path / "none"), Catch::Contains("none: there is no such folder"));
    fs::remove(run.path / "recipe.toml");
    CHECK_THROWS_WITH(read_run_log(run.path), Catch::Contains("is no run, as it has no recipe.toml"));
}
