// model.json: out and back in, and what is said about every field that is missing or wrong.
#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "shared/bundle/bundle.hpp"

using namespace ouaf;
using Json = nlohmann::ordered_json;

namespace {

Bundle example() {
    Bundle bundle;
    bundle.name = "two dogs";
    bundle.version = "2.1.0";
    bundle.architecture = "Tiny";
    bundle.licence = "MIT";
    bundle.file = "weights.onnx";
    bundle.bytes = 5'000'000'000;
    bundle.sha256 = "abc";
    bundle.input_name = "x";
    bundle.logits_name = "y";
    bundle.activation_map_name = "z";
    bundle.preprocess = {.size = 20,
                         .resize = 30,
                         .filter = Filter::cubic,
                         .grey = true,
                         .equalise = true,
                         .mean = {0.1F, 0.2F, 0.3F},
                         .std = {0.4F, 0.5F, 0.6F}};
    bundle.classes = {{"n1", {{"en", "dog"}, {"fr", "chien"}}}, {"n2", {{"en", "Löwchen \"lion\""}}}};
    bundle.temperature = 1.25;
    bundle.unsure_below = 0.4;
    bundle.none_below = -1.5;
    bundle.metrics = {{"test_top1", 0.9}};
    bundle.golden = {"AAAA", 0xFFFFFFFF, {1.5F, -0.1F}};
    return bundle;
}

// What parse_bundle says about the example after a change.
std::string complaint(const std::function<void(Json&)>& change) {
    Json json = to_json(example());
    change(json);
    try {
        parse_bundle(json.dump());
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "none";
}

std::string complaint_about(const char* path, const Json& value) {
    return complaint([&](Json& json) { json[Json::json_pointer(path)] = value; });
}

}  // namespace

TEST_CASE("a bundle's description survives model.json", "[bundle]") {
    const Bundle before = example();
    const Bundle after = parse_bundle(to_json(before).dump());
    CHECK(after.name == before.name);
    CHECK(after.version == before.version);
    CHECK(after.architecture == before.architecture);
    CHECK(after.licence == before.licence);
    CHECK(after.file == before.file);
    CHECK(after.bytes == before.bytes);
    CHECK(after.sha256 == before.sha256);
    CHECK(after.input_name == before.input_name);
    CHECK(after.logits_name == before.logits_name);
    CHECK(after.preprocess.size == 20);
    CHECK(after.preprocess.resize == 30);
    CHECK(after.preprocess.grey);
    CHECK(after.preprocess.equalise);
    CHECK(after.preprocess.mean == before.preprocess.mean);  // to the bit
    CHECK(after.preprocess.std == before.preprocess.std);
    REQUIRE(after.classes.size() == 2);
    CHECK(after.classes[0].id == "n1");
    CHECK(after.classes[0].name == before.classes[0].name);
    CHECK(after.classes[1].name == before.classes[1].name);
    CHECK(after.temperature == before.temperature);
    CHECK(after.unsure_below == before.unsure_below);
    CHECK(after.none_below == before.none_below);
    CHECK(after.activation_map_name == before.activation_map_name);
    CHECK(after.metrics == before.metrics);
    CHECK(after.golden.picture == before.golden.picture);
    CHECK(after.golden.tensor_crc == before.golden.tensor_crc);
    CHECK(after.golden.logits == before.golden.logits);
    for (const Filter filter : {Filter::area, Filter::linear, Filter::cubic}) {
        Bundle bundle = example();
        bundle.preprocess.filter = filter;
        CHECK(parse_bundle(to_json(bundle).dump()).preprocess.filter == filter);
    }
}

TEST_CASE("what model.json may leave out has the usual value", "[bundle]") {
    Json json = to_json(example());
    for (const char* key : {"version", "architecture", "licence", "sha256", "preprocess", "outputs", "temperature",
                            "unsure_below", "none_below", "metrics"}) {
        json.erase(key);
    }
    json["input"] = {{"size", 224}};
    const Bundle bundle = parse_bundle(json.dump());
    CHECK(bundle.version == "1.0.0");
    CHECK(bundle.input_name == "input");
    CHECK(bundle.logits_name == "logits");
    CHECK(bundle.preprocess.resize == 224);
    CHECK(bundle.preprocess.filter == Filter::area);
    CHECK_FALSE(bundle.preprocess.grey);
    CHECK(bundle.preprocess.mean == std::array{0.485F, 0.456F, 0.406F});
    CHECK(bundle.preprocess.std == std::array{0.229F, 0.224F, 0.225F});
    CHECK(bundle.temperature == 1.0);
    CHECK(bundle.unsure_below == 0.0);
    CHECK_FALSE(bundle.none_below);
    CHECK(bundle.activation_map_name.empty());
    CHECK(bundle.metrics.empty());
}

TEST_CASE("unknown fields of model.json are left alone", "[bundle]") {
    CHECK(complaint([](Json& json) { json["a later version's field"] = {1, 2}; }) == "none");
}

TEST_CASE("text that is no model.json is refused", "[bundle]") {
    for (const char* wrong : {"", "{", "[]", "null", "3", "{\"format\": 1} x"}) {
        INFO(wrong);
        CHECK_THROWS_WITH(parse_bundle(wrong), "this is not JSON of a model bundle");
    }
    const std::string whole = to_json(example()).dump();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        REQUIRE_THROWS_AS(parse_bundle(whole.substr(0, size)), std::runtime_error);
    }
}

TEST_CASE("a field that model.json lacks is named", "[bundle]") {
    for (const std::string key : {"format", "name", "file", "bytes", "classes", "golden"}) {
        CHECK(complaint([&](Json& json) { json.erase(key); }) == "'" + key + "' is missing");
    }
    CHECK(complaint([](Json& json) { json.erase("input"); }) == "'size' is missing");
    CHECK(complaint([](Json& json) { json["input"].erase("size"); }) == "'size' is missing");
    for (const std::string key : {"picture", "tensor_crc32", "logits"}) {
        CHECK(complaint([&](Json& json) { json["golden"].erase(key); }) == "'" + key + "' is missing");
    }
    for (const std::string key : {"id", "name"}) {
        CHECK(complaint([&](Json& json) { json["classes"][0].erase(key); }) == "'" + key + "' is missing");
    }
}

TEST_CASE("a field of the wrong type is named, and no number is bent to fit", "[bundle]") {
    const auto wrong_type = [](const std::string& key) { return "'" + key + "' has a value of the wrong type"; };
    const Json text = "7", list = Json::array({1});
    for (const char* key : {"format", "bytes", "temperature", "unsure_below", "none_below", "metrics"}) {
        CHECK(complaint_about((std::string("/") + key).c_str(), text) == wrong_type(key));
    }
    for (const char* key : {"name", "version", "architecture", "licence", "file", "sha256"}) {
        CHECK(complaint_about((std::string("/") + key).c_str(), 7) == wrong_type(key));
    }
    for (const Json& value : {Json(20.5), Json(true), Json(nullptr), Json(4294967316), Json(-4294967276), text, list}) {
        INFO(value.dump());
        CHECK(complaint_about("/input/size", value) == wrong_type("size"));
    }
    CHECK(complaint_about("/preprocess/resize", 30.5) == wrong_type("resize"));
    CHECK(complaint_about("/preprocess/grey", 1) == wrong_type("grey"));
    CHECK(complaint_about("/preprocess/equalise", "yes") == wrong_type("equalise"));
    CHECK(complaint_about("/preprocess/filter", 2) == wrong_type("filter"));
    CHECK(complaint_about("/temperature", true) == wrong_type("temperature"));
    CHECK(complaint_about("/input/mean", Json::array({0, "a", 0})) == wrong_type("mean"));
    CHECK(complaint_about("/golden/tensor_crc32", -1) == wrong_type("tensor_crc32"));
    CHECK(complaint_about("/golden/tensor_crc32", 4294967296) == wrong_type("tensor_crc32"));
    CHECK(complaint_about("/golden/logits", Json::array({1.0, nullptr})) == wrong_type("logits"));
    CHECK(complaint_about("/golden/picture", 5) == wrong_type("picture"));
    CHECK(complaint_about("/metrics", Json{{"top1", "high"}}) == wrong_type("metrics"));
    CHECK(complaint_about("/classes/0/name", "dog") == wrong_type("name"));
    for (const char* key : {"input", "preprocess", "outputs", "golden"}) {
        CHECK(complaint_about((std::string("/") + key).c_str(), 3) == "'" + std::string(key) + "' is not an object");
    }
}

TEST_CASE("a value of model.json that makes no sense is named", "[bundle]") {
    CHECK(complaint_about("/format", 2) == "'format' is 2; this program reads format 1");
    CHECK(complaint_about("/input/size", 0) == "'size' must be 1 to 4096 pixels");
    CHECK(complaint_about("/preprocess/resize", 19) == "'resize' must be at least 'size' and at most 8192 pixels");
    CHECK(complaint_about("/preprocess/filter", "lanczos") ==
          "'filter' is 'lanczos'; it must be area, linear or cubic");
    CHECK(complaint_about("/preprocess/crop", "none") == "'crop' is 'none'; only center is known");
    CHECK(complaint_about("/input/mean", Json::array({0, 0})) == "'mean' has not three numbers");
    CHECK(complaint_about("/input/std", Json::array({1, 1, 1, 1})) == "'std' has not three numbers");
    CHECK(complaint_about("/input/std", Json::array({1, 0, 1})) == "'std' must be above 0");
    CHECK(complaint_about("/input/std", Json::array({1, 1e-60, 1})) == "'std' must be above 0");  // 0 in float32
    CHECK(complaint_about("/bytes", 0) == "'bytes' must be the size of the model's file");
    CHECK(complaint_about("/temperature", 0) == "'temperature' must be above 0");
    CHECK(complaint_about("/temperature", -1.5) == "'temperature' must be above 0");
    for (const char* file : {"", "../model.onnx", "/etc/passwd", "a\\b"}) {
        CHECK(complaint_about("/file", file) == "'file' must be a file's name without a folder");
    }
    CHECK(complaint_about("/classes", Json::array()) == "'classes' is not a list of classes");
    CHECK(complaint_about("/classes", Json::object()) == "'classes' is not a list of classes");
    CHECK(complaint_about("/classes/1", "dog") == "'classes' has an entry that is not an object");
    CHECK(complaint_about("/classes/1/id", "n1") == "'classes' names 'n1' twice");
    CHECK(complaint_about("/classes/1/name", Json{{"fr", "chien"}}) == "'classes' has no English name for 'n2'");
    CHECK(complaint_about("/golden/logits", Json::array({1.0})) == "'golden' has not one logit a class");
}
