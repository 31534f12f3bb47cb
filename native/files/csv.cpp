// See csv.hpp.
#include "native/files/csv.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace ouaf {

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string field = "\"";
    for (const char c : text) field.append(c == '"' ? 2 : 1, c);
    return field + '"';
}

std::string csv_line(std::span<const std::string> fields) {
    std::string line;
    for (const std::string& field : fields) line += (&field == fields.data() ? "" : ",") + csv_field(field);
    return line + "\n";
}

std::string csv_number(double value) {
    if (std::isnan(value)) return "";
    std::array<char, 32> text;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), written.ptr};
}

}  // namespace ouaf
