// The keys of a TOML table, each checked as it is read, so that a wrong one is blamed where it stands.
//
//     ReadTable reader(path, table, "recipe");
//     reader("epochs", recipe.epochs, 1, 100'000);
//     reader.refuse_others();
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ouaf {

// `what` the file is, for the error. Throws std::runtime_error "path:line: cause".
toml::table parse_toml(const std::filesystem::path& path, std::string_view what);

// Every reading leaves the value alone where the key is missing, and throws std::runtime_error "path: 'key' cause".
class ReadTable {
 public:
    ReadTable(const std::filesystem::path& path, const toml::table& table, std::string_view what)
        : path_(&path), table_(&table), what_(what) {}

    // "" where there is none.
    std::string text(std::string_view key);

    const toml::table* table(std::string_view key);

    // From low to high: a number, a whole number, two numbers; or true and false.
    template <class T>
    void operator()(std::string_view key, T& value, double low, double high) {
        known_.emplace_back(key);
        if (!table_->contains(key)) return;
        const toml::node_view<const toml::node> given = (*table_)[key];
        if constexpr (std::is_same_v<T, bool>) {
            if (!given.is_boolean()) fail(key, "must be true or false");
            value = *given.value<bool>();
        } else if constexpr (std::is_same_v<T, std::array<double, 2>>) {
            const toml::array* pair = given.as_array();
            if (!pair || pair->size() != 2) fail(key, "must be two numbers, [least, most]");
            for (std::size_t i = 0; i < 2; ++i) value[i] = number(key, (*pair)[i].value<double>(), low, high);
            if (value[0] > value[1]) fail(key, "must be [least, most]");
        } else {
            value = static_cast<T>(number(key, given.value<double>(), low, high));
            if constexpr (std::is_integral_v<T>)
                if (!given.is_integer()) fail(key, "must be a whole number");
        }
    }

    template <class T>
    void operator()(std::string_view key, std::optional<T>& value, double low, double high) {
        if (table_->contains(key)) (*this)(key, value.emplace(), low, high);
        else known_.emplace_back(key);
    }

    template <class Choice>
    void choice(std::string_view key, Choice& value, std::span<const std::string_view> names) {
        const std::string given = text(key);
        if (given.empty()) return;
        const auto found = std::find(names.begin(), names.end(), given);
        if (found == names.end()) fail(key, "must be one of " + joined(names));
        value = static_cast<Choice>(found - names.begin());
    }

    template <class Choice>
    void choice(std::string_view key, std::optional<Choice>& value, std::span<const std::string_view> names) {
        if (table_->contains(key)) choice(key, value.emplace(), names);
        else known_.emplace_back(key);
    }

    // Three shares, [training, validation, test], that sum to 1.
    void shares(std::string_view key, std::array<double, 3>& values);

    // A text, or a list of them.
    template <class Text>
    void list(std::string_view key, std::vector<Text>& values) {
        std::vector<std::string> given = texts(key);
        if (given.empty()) return;
        values.clear();
        for (std::string& text : given) values.emplace_back(std::move(text));
    }

    // The tables of [[key]].
    std::vector<const toml::table*> tables(std::string_view key);

    // Keys that nothing has asked for.
    void refuse_others() const;

    // Names the file, or the override, that gives the key; the file that is read where none does.
    [[noreturn]] void fail(std::string_view key, const std::string& cause) const;

 private:
    template <class Names>
    static std::string joined(const Names& names) {
        std::string list;
        for (const auto& name : names) list.append(list.empty() ? "" : ", ").append(name);
        return list;
    }

    double number(std::string_view key, std::optional<double> value, double low, double high) const;
    std::vector<std::string> texts(std::string_view key);

    const std::filesystem::path* path_;
    const toml::table* table_;
    std::string_view what_;
    std::vector<std::string> known_;
};

}  // namespace ouaf
