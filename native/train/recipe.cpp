// TOML in and out, through toml++.
#include "native/train/recipe.hpp"

#include <toml++/toml.h>

#include <initializer_list>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace ouaf {
namespace {

class Reader {
 public:
    Reader(const std::filesystem::path& path, const toml::table& table) : path_(path), table_(table) {}

    void allow_only(std::initializer_list<std::string_view> keys) const {
        for (const auto& [key, value] : table_) {
            bool known = false;
            std::string list;
            for (const std::string_view allowed : keys) {
                known = known || key.str() == allowed;
                list.append(list.empty() ? "" : ", ").append(allowed);
            }
            if (!known) fail(std::string(key.str()), "is not a key of a recipe (known here: " + list + ")");
        }
    }

    std::string text(std::string_view key) const {
        const auto value = table_[key].value<std::string>();
        if (!value || value->empty()) fail(key, "must be a text");
        return *value;
    }

    double number(std::string_view key, double fallback, double highest) const {
        if (!table_.contains(key)) return fallback;
        const auto value = table_[key].value<double>();
        if (!value || !(*value >= 0 && *value <= highest)) {
            std::ostringstream range;
            range << "must be a number from 0 to " << highest;
            fail(key, range.str());
        }
        return *value;
    }

    [[noreturn]] void fail(std::string_view key, const std::string& what) const {
        throw std::runtime_error(path_.string() + ": '" + std::string(key) + "' " + what);
    }

 private:
    const std::filesystem::path& path_;
    const toml::table& table_;
};

}  // namespace

Recipe read_recipe(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path))
        throw std::runtime_error(path.string() + ": there is no such recipe; see recipes/");
    toml::table table;
    try {
        table = toml::parse_file(path.string());
    } catch (const toml::parse_error& error) {
        std::ostringstream cause;
        cause << path.string() << ":" << error.source().begin.line << ": " << error.description();
        throw std::runtime_error(cause.str());
    }
    const Reader reader(path, table);
    reader.allow_only({"name", "backbone", "data", "head"});
    Recipe recipe{reader.text("name"), reader.text("backbone"), reader.text("data"), {}};
    if (recipe.name.find('/') != std::string::npos) reader.fail("name", "must not hold a /");
    if (table.contains("head")) {
        if (!table["head"].is_table()) reader.fail("head", "must be a table");
        const Reader head(path, *table["head"].as_table());
        head.allow_only({"iterations", "pull_to_start", "weight_decay"});
        recipe.head.iterations = static_cast<int>(head.number("iterations", recipe.head.iterations, 100'000));
        recipe.head.pull_to_start = head.number("pull_to_start", recipe.head.pull_to_start, 1e6);
        recipe.head.weight_decay = head.number("weight_decay", recipe.head.weight_decay, 1e6);
    }
    return recipe;
}

std::string to_toml(const Recipe& recipe) {
    const toml::table table{{"name", recipe.name},
                            {"backbone", recipe.backbone.string()},
                            {"data", recipe.data.string()},
                            {"head", toml::table{{"iterations", recipe.head.iterations},
                                                 {"pull_to_start", recipe.head.pull_to_start},
                                                 {"weight_decay", recipe.head.weight_decay}}}};
    std::ostringstream text;
    text << table << "\n";
    return text.str();
}

}  // namespace ouaf
