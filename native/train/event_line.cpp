// Nearly every line is flat: names, numbers, and texts without escapes. Those are read here, five times as fast as by
// nlohmann-json, which gets the rest.
#include "native/train/event_line.hpp"

#include <charconv>
#include <limits>

namespace ouaf {
namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

bool take(std::string_view& rest, std::string_view token) {
    if (!rest.starts_with(token)) return false;
    rest.remove_prefix(token.size());
    return true;
}

// A text without escapes, its quotes included in what is taken.
bool take_text(std::string_view& rest, std::string_view& text) {
    if (!take(rest, "\"")) return false;
    const std::size_t end = rest.find_first_of("\"\\");
    if (end == std::string_view::npos || rest[end] == '\\') return false;
    text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

bool take_number(std::string_view& rest, double& number) {
    if (take(rest, "null")) number = no_number;
    else if (take(rest, "true")) number = 1;
    else if (take(rest, "false")) number = 0;
    else {
        const std::size_t sign = rest.starts_with('-') ? 1 : 0;
        if (rest.size() <= sign || rest[sign] < '0' || rest[sign] > '9') return false;  // from_chars reads "inf" too
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc()) return false;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    }
    return true;
}

bool parse_flat(std::string_view rest, EventLine& line) {
    if (!take(rest, "{")) return false;
    do {
        std::string_view name;
        std::string_view text;
        double number = 0;
        if (!take_text(rest, name) || !take(rest, ":")) return false;
        if (take_text(rest, text)) line.texts.emplace_back(name, text);
        else if (take_number(rest, number)) line.numbers.emplace_back(name, number);
        else return false;
    } while (take(rest, ","));
    return rest == "}";
}

bool parse_any(std::string_view text, EventLine& line) {
    line.whole = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!line.whole.is_object()) return false;
    for (const auto& [name, value] : line.whole.items()) {
        if (value.is_string()) line.texts.emplace_back(name, value.get_ref<const std::string&>());
        else if (value.is_number()) line.numbers.emplace_back(name, value.get<double>());
        else if (value.is_boolean()) line.numbers.emplace_back(name, value.get<bool>() ? 1 : 0);
        else if (value.is_null()) line.numbers.emplace_back(name, no_number);
    }
    return true;
}

void clear(EventLine& line) {
    line.numbers.clear();
    line.texts.clear();
}

}  // namespace

std::string_view EventLine::kind() const {
    for (const auto& [name, text] : texts)
        if (name == "event") return text;
    return {};
}

bool parse_event_line(std::string_view text, EventLine& line) {
    clear(line);
    if (parse_flat(text, line)) return true;
    clear(line);
    return parse_any(text, line);
}

}  // namespace ouaf
