// See read_table.hpp.
#include "native/train/read_table.hpp"

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace ouaf {

toml::table parse_toml(const std::filesystem::path& path, std::string_view what) {
    if (!std::filesystem::exists(path))
        throw std::runtime_error(path.string() + ": there is no such " + std::string(what) + "; see recipes/");
    try {
        return toml::parse_file(path.string());
    } catch (const toml::parse_error& error) {
        std::ostringstream cause;
        cause << path.string() << ":" << error.source().begin.line << ": " << error.description();
        throw std::runtime_error(cause.str());
    }
}

std::string ReadTable::text(std::string_view key) {
    known_.emplace_back(key);
    if (!table_->contains(key)) return "";
    const auto value = (*table_)[key].value<std::string>();
    if (!value || value->empty()) fail(key, "must be a text");
    return *value;
}

const toml::table* ReadTable::table(std::string_view key) {
    known_.emplace_back(key);
    if (!table_->contains(key)) return nullptr;
    if (!(*table_)[key].is_table()) fail(key, "must be a table");
    return (*table_)[key].as_table();
}

void ReadTable::shares(std::string_view key, std::array<double, 3>& values) {
    known_.emplace_back(key);
    if (!table_->contains(key)) return;
    const toml::array* given = (*table_)[key].as_array();
    if (!given || given->size() != values.size()) fail(key, "must be three shares, [training, validation, test]");
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = number(key, (*given)[i].value<double>(), 0, 1);
    constexpr double slack = 1e-6;  // of thirds and the like, written with a few digits
    const double sum = values[0] + values[1] + values[2];
    if (std::abs(sum - 1) > slack || values[0] == 0) fail(key, "must sum to 1, with a share for training");
}

std::vector<std::string> ReadTable::texts(std::string_view key) {
    known_.emplace_back(key);
    std::vector<std::string> values;
    if (!table_->contains(key)) return values;
    const toml::node_view<const toml::node> given = (*table_)[key];
    if (given.is_string()) values.push_back(*given.value<std::string>());
    if (const toml::array* several = given.as_array())
        for (const toml::node& one : *several) values.push_back(one.value<std::string>().value_or(""));
    if (values.empty() || std::find(values.begin(), values.end(), "") != values.end())
        fail(key, "must be a text, or a list of texts");
    return values;
}

std::vector<const toml::table*> ReadTable::tables(std::string_view key) {
    known_.emplace_back(key);
    std::vector<const toml::table*> all;
    if (!table_->contains(key)) return all;
    if (!(*table_)[key].is_array_of_tables()) fail(key, "must be tables, each under [[" + std::string(key) + "]]");
    for (const toml::node& one : *(*table_)[key].as_array()) all.push_back(one.as_table());
    return all;
}

void ReadTable::refuse_others() const {
    for (const auto& [key, value] : *table_)
        if (std::find(known_.begin(), known_.end(), key.str()) == known_.end())
            fail(key.str(), "is not a key of a " + std::string(what_) + " (known here: " + joined(known_) + ")");
}

void ReadTable::fail(std::string_view key, const std::string& cause) const {
    const toml::node* given = table_->get(key);
    const toml::source_path_ptr from = given ? given->source().path : nullptr;
    throw std::runtime_error((from ? *from : path_->string()) + ": '" + std::string(key) + "' " + cause);
}

double ReadTable::number(std::string_view key, std::optional<double> value, double low, double high) const {
    if (value && *value >= low && *value <= high) return *value;
    std::ostringstream range;
    range << "must be a number from " << low << " to " << high;
    fail(key, range.str());
}

}  // namespace ouaf
