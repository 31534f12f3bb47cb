// model.json to struct and back. Format: docs/bundle.md.
#include "shared/bundle/bundle.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace ouaf {
namespace {

using Json = nlohmann::json;

[[noreturn]] void fail(const std::string& field, const std::string& what) {
    throw std::runtime_error("'" + field + "' " + what);
}

// nlohmann turns any number or boolean into any other silently: 1.5, true or 2^40 would pass for an int.
template <class T>
bool holds_number(const Json& value) {
    if constexpr (std::is_floating_point_v<T>) {
        return value.is_number();
    } else {
        if (value.is_number_unsigned()) return std::in_range<T>(value.get<std::uint64_t>());
        return value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
    }
}

// The value of `key`, or `fallback` when it is absent; a value of another type is an error that names the field.
template <class T>
T value_or(const Json& object, const std::string& key, T fallback) {
    const auto found = object.find(key);
    if (found == object.end()) return fallback;
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
        if (!holds_number<T>(*found)) fail(key, "has a value of the wrong type");
    }
    try {
        return found->template get<T>();
    } catch (const Json::exception&) {
        fail(key, "has a value of the wrong type");
    }
}

template <class T>
T value_of(const Json& object, const std::string& key) {
    if (!object.contains(key)) fail(key, "is missing");
    return value_or<T>(object, key, T{});
}

Json section(const Json& json, const std::string& key) {
    const Json found = value_or<Json>(json, key, Json::object());
    if (!found.is_object()) fail(key, "is not an object");
    return found;
}

constexpr std::array<std::pair<Filter, const char*>, 3> filters{
    {{Filter::area, "area"}, {Filter::linear, "linear"}, {Filter::cubic, "cubic"}}};

Filter parse_filter(const std::string& name) {
    for (const auto& [filter, text] : filters) {
        if (name == text) return filter;
    }
    fail("filter", "is '" + name + "'; it must be area, linear or cubic");
}

const char* name_of(Filter filter) {
    for (const auto& [known, text] : filters) {
        if (known == filter) return text;
    }
    return "area";
}

// One number for each of red, green and blue.
std::array<float, 3> colour_or(const Json& object, const std::string& key, const std::array<float, 3>& fallback) {
    if (object.contains(key) && object[key].size() != fallback.size()) fail(key, "has not three numbers");
    return value_or(object, key, fallback);
}

PreprocessSpec parse_preprocess(const Json& input, const Json& steps) {
    PreprocessSpec spec;
    spec.size = value_of<int>(input, "size");
    spec.resize = value_or(steps, "resize", spec.size);
    spec.filter = parse_filter(value_or<std::string>(steps, "filter", "area"));
    spec.grey = value_or(steps, "grey", false);
    spec.equalise = value_or(steps, "equalise", false);
    spec.mean = colour_or(input, "mean", spec.mean);
    spec.std = colour_or(input, "std", spec.std);
    if (const auto crop = value_or<std::string>(steps, "crop", "center"); crop != "center") {
        fail("crop", "is '" + crop + "'; only center is known");
    }
    check_spec(spec);
    return spec;
}

std::vector<ClassLabel> parse_classes(const Json& list) {
    if (!list.is_array() || list.empty()) fail("classes", "is not a list of classes");
    std::vector<ClassLabel> classes;
    std::set<std::string> ids;
    for (const Json& entry : list) {
        if (!entry.is_object()) fail("classes", "has an entry that is not an object");
        ClassLabel label{value_of<std::string>(entry, "id"),
                         value_of<std::map<std::string, std::string>>(entry, "name")};
        if (!label.name.contains("en")) fail("classes", "has no English name for '" + label.id + "'");
        if (!ids.insert(label.id).second) fail("classes", "names '" + label.id + "' twice");
        classes.push_back(std::move(label));
    }
    return classes;
}

}  // namespace

Bundle parse_bundle(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) throw std::runtime_error("this is not JSON of a model bundle");
    if (const int format = value_of<int>(json, "format"); format != 1) {
        fail("format", "is " + std::to_string(format) + "; this program reads format 1");
    }
    Bundle bundle;
    bundle.name = value_of<std::string>(json, "name");
    bundle.version = value_or(json, "version", bundle.version);
    bundle.architecture = value_or(json, "architecture", bundle.architecture);
    bundle.licence = value_or(json, "licence", bundle.licence);
    bundle.file = value_of<std::string>(json, "file");
    bundle.bytes = value_of<std::int64_t>(json, "bytes");
    bundle.sha256 = value_or(json, "sha256", bundle.sha256);
    if (bundle.file.empty() || bundle.file.find_first_of("/\\") != std::string::npos) {
        fail("file", "must be a file's name without a folder");
    }
    const Json input = section(json, "input");
    bundle.input_name = value_or(input, "name", bundle.input_name);
    bundle.logits_name = value_or(section(json, "outputs"), "logits", bundle.logits_name);
    bundle.activation_map_name = value_or(section(json, "outputs"), "activation_map", bundle.activation_map_name);
    bundle.preprocess = parse_preprocess(input, section(json, "preprocess"));
    bundle.classes = parse_classes(value_of<Json>(json, "classes"));
    bundle.temperature = value_or(json, "temperature", bundle.temperature);
    if (bundle.bytes < 1) fail("bytes", "must be the size of the model's file");
    if (!(bundle.temperature > 0)) fail("temperature", "must be above 0");
    bundle.unsure_below = value_or(json, "unsure_below", bundle.unsure_below);
    if (json.contains("none_below")) bundle.none_below = value_of<double>(json, "none_below");
    bundle.metrics = value_or(json, "metrics", bundle.metrics);
    const Json golden = value_of<Json>(json, "golden");
    if (!golden.is_object()) fail("golden", "is not an object");
    bundle.golden.picture = value_of<std::string>(golden, "picture");
    bundle.golden.tensor_crc = value_of<std::uint32_t>(golden, "tensor_crc32");
    bundle.golden.logits = value_of<std::vector<float>>(golden, "logits");
    if (bundle.golden.logits.size() != bundle.classes.size()) fail("golden", "has not one logit a class");
    return bundle;
}

nlohmann::ordered_json to_json(const Bundle& bundle) {
    nlohmann::ordered_json json;
    json["format"] = 1;
    json["name"] = bundle.name;
    json["version"] = bundle.version;
    json["architecture"] = bundle.architecture;
    json["licence"] = bundle.licence;
    json["file"] = bundle.file;
    json["bytes"] = bundle.bytes;
    json["sha256"] = bundle.sha256;
    const PreprocessSpec& spec = bundle.preprocess;
    json["input"] = {{"name", bundle.input_name}, {"size", spec.size}, {"mean", spec.mean}, {"std", spec.std}};
    json["preprocess"] = {{"resize", spec.resize},
                          {"filter", name_of(spec.filter)},
                          {"crop", "center"},
                          {"grey", spec.grey},
                          {"equalise", spec.equalise}};
    json["outputs"] = {{"logits", bundle.logits_name}};
    if (!bundle.activation_map_name.empty()) json["outputs"]["activation_map"] = bundle.activation_map_name;
    json["classes"] = nlohmann::ordered_json::array();
    for (const ClassLabel& label : bundle.classes) json["classes"].push_back({{"id", label.id}, {"name", label.name}});
    json["temperature"] = bundle.temperature;
    json["unsure_below"] = bundle.unsure_below;
    if (bundle.none_below) json["none_below"] = *bundle.none_below;
    json["metrics"] = bundle.metrics;
    json["golden"] = {{"picture", bundle.golden.picture},
                      {"tensor_crc32", bundle.golden.tensor_crc},
                      {"logits", bundle.golden.logits}};
    return json;
}

}  // namespace ouaf
