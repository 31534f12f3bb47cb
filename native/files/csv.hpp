// Tables as text that spreadsheets and pandas read (RFC 4180, with bare line feeds).
#pragma once

#include <span>
#include <string>

namespace ouaf {

// Quoted where it holds a comma, a quote or a line's end.
std::string csv_field(const std::string& text);

std::string csv_line(std::span<const std::string> fields);

// The shortest decimal number that reads back as the same double; an empty field for what is no number.
std::string csv_number(double value);

}  // namespace ouaf
