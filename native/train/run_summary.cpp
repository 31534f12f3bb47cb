// See run_summary.hpp.
#include "native/train/run_summary.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "native/files/csv.hpp"
#include "native/train/read_table.hpp"

namespace ouaf {
namespace {

std::optional<double> at_row(const EventTable& table, std::string_view name, std::size_t row) {
    const std::span<const double> values = table.numbers(name);
    if (row >= values.size() || std::isnan(values[row])) return std::nullopt;
    return values[row];
}

std::optional<double> last(const EventTable& table, std::string_view name) {
    return at_row(table, name, table.rows - 1);
}

std::optional<double> median(std::span<const double> values) {
    std::vector<double> sorted;
    for (const double value : values)
        if (!std::isnan(value)) sorted.push_back(value);
    if (sorted.empty()) return std::nullopt;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
}

void summarise_epochs(const EventTable& epochs, RunSummary& summary) {
    summary.epochs = epochs.rows;
    summary.images_per_second = median(epochs.numbers("images_per_second"));
    const std::span<const double> losses = epochs.numbers("validation_loss");
    std::optional<std::size_t> best;
    for (std::size_t row = 0; row < losses.size(); ++row)
        if (!std::isnan(losses[row]) && (!best || losses[row] < losses[*best])) best = row;
    if (!best) return;
    summary.best_epoch = at_row(epochs, "epoch", *best);
    summary.validation_loss = losses[*best];
    summary.validation_top1 = at_row(epochs, "validation_top1", *best);
    summary.validation_top5 = at_row(epochs, "validation_top5", *best);
}

std::string text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_floating_point()) return csv_number(number->get());
    std::ostringstream text;
    if (const toml::array* list = node.as_array()) {
        for (const toml::node& element : *list) text << (text.str().empty() ? "[" : ", ") << text_of(element);
        text << (list->empty() ? "[]" : "]");
    } else {
        node.visit([&](const auto& value) { text << value; });
    }
    return text.str();
}

void flatten(const toml::table& table, const std::string& prefix, std::map<std::string, std::string>& keys) {
    for (const auto& [key, value] : table) {
        const std::string name = prefix + std::string(key.str());
        if (const toml::table* inner = value.as_table()) flatten(*inner, name + ".", keys);
        else keys[name] = text_of(value);
    }
}

}  // namespace

RunSummary summarise(const RunLog& log) {
    RunSummary summary;
    if (const EventTable* start = log.find("start")) summary.parameters = last(*start, "parameters");
    if (const EventTable* iterations = log.find("iteration")) summary.iterations = iterations->rows;
    if (const EventTable* epochs = log.find("epoch")) summarise_epochs(*epochs, summary);
    if (const EventTable* test = log.find("test")) {  // a head is tested as float32 first, then as it is exported
        summary.test_loss = last(*test, "cross_entropy");
        summary.test_top1 = last(*test, "top1");
        summary.test_top5 = last(*test, "top5");
        summary.finished = test->texts("weights").empty();
    }
    if (log.find("exported")) summary.finished = true;
    for (const auto& [kind, table] : log.tables) {
        const std::optional<double> time = last(table, "time");
        if (time) summary.time = std::max(summary.time.value_or(*time), *time);
    }
    return summary;
}

std::map<std::string, std::string> recipe_keys(const std::filesystem::path& folder) {
    std::map<std::string, std::string> keys;
    flatten(parse_toml(folder / "recipe.toml", "recipe"), "", keys);
    return keys;
}

std::map<std::string, std::string> toml_keys(std::string_view text) {
    std::map<std::string, std::string> keys;
    flatten(toml::parse(text), "", keys);
    return keys;
}

}  // namespace ouaf
