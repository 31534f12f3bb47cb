// Tables as text that spreadsheets and pandas read: RFC 4180, https://www.rfc-editor.org/rfc/rfc4180. Written with bare
// line feeds; read with either end of a line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf {

// Quoted where it holds a comma, a quote or a line's end.
std::string csv_field(const std::string& text);

std::string csv_line(std::span<const std::string> fields);

// The shortest decimal number that reads back as the same double; an empty field for what is no number.
std::string csv_number(double value);

struct CsvRow {
    std::size_t line = 0;  // where it begins, from 1
    std::vector<std::string> fields;
};

// The rows of a table, its heading like any other. Throws std::runtime_error "source:line: cause; what to do" on quotes
// that make no sense.
std::vector<CsvRow> csv_rows(const std::filesystem::path& source, std::string_view text);

}  // namespace ouaf
