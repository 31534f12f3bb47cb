// See csv.hpp.
#include "native/files/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace ouaf {
namespace {

// Takes rows off a text, one at a time.
class Rows {
 public:
    Rows(const std::filesystem::path& source, std::string_view text) : source_(source), rest_(text) {
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    }

    bool at_end() const { return rest_.empty(); }

    CsvRow next() {
        CsvRow row{line_, {}};
        do row.fields.push_back(rest_.starts_with('"') ? quoted() : plain());
        while (take(","));
        if (!take("\r\n")) take("\n");
        ++line_;
        return row;
    }

 private:
    [[noreturn]] void fail(std::size_t line, const std::string& cause) const {
        throw std::runtime_error(source_.string() + ":" + std::to_string(line) + ": " + cause);
    }

    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    bool at_end_of_field() const {
        return rest_.empty() || rest_[0] == ',' || rest_[0] == '\n' || rest_.starts_with("\r\n");
    }

    std::string plain() {
        const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
        std::string field(rest_.substr(0, end));
        rest_.remove_prefix(end);
        if (!rest_.starts_with(',') && field.ends_with('\r')) field.pop_back();
        return field;
    }

    std::string quoted() {
        const std::size_t opened = line_;
        std::string field;
        take("\"");
        while (!rest_.empty()) {
            const std::size_t end = std::min(rest_.find('"'), rest_.size());
            line_ += static_cast<std::size_t>(std::count(rest_.begin(), rest_.begin() + static_cast<long>(end), '\n'));
            field += rest_.substr(0, end);
            rest_.remove_prefix(end);
            if (take("\"\"")) {
                field += '"';
            } else if (take("\"")) {
                if (!at_end_of_field())
                    fail(line_, "text stands after a closing quote; write a quote within quotes twice");
                return field;
            }
        }
        fail(opened, "a quote is opened and not closed; close it, or write a quote within quotes twice");
    }

    const std::filesystem::path& source_;
    std::string_view rest_;
    std::size_t line_ = 1;
};

}  // namespace

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

std::vector<CsvRow> csv_rows(const std::filesystem::path& source, std::string_view text) {
    std::vector<CsvRow> table;
    for (Rows rows(source, text); !rows.at_end();) table.push_back(rows.next());
    return table;
}

}  // namespace ouaf
