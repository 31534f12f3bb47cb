// Lines to columns.
#include "native/train/run_log.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "native/train/event_line.hpp"

namespace ouaf {
namespace {

template <class Value>
std::span<const Value> find_column(const std::vector<Column<Value>>& columns, std::string_view name) {
    for (const Column<Value>& column : columns)
        if (column.name == name) return column.values;
    return {};
}

// Puts a value into the table's newest row. Events of one kind name their values in one order: `place` is a guess at
// the column, and then the next one's.
template <class Value, class Given>
void put(std::vector<Column<Value>>& columns, std::size_t& place, std::size_t rows, std::string_view name, Given value,
         const Value& none) {
    if (place >= columns.size() || columns[place].name != name) {
        const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
        place = static_cast<std::size_t>(found - columns.begin());
        if (found == columns.end()) columns.push_back({std::string(name), {}});
    }
    std::vector<Value>& values = columns[place++].values;
    values.resize(rows - 1, none);  // rows that came before the column
    values.emplace_back(value);     // the last of two of one name would stay, if there were any
}

template <class Value>
void fill_up(std::vector<Column<Value>>& columns, std::size_t rows, const Value& none) {
    for (Column<Value>& column : columns) column.values.resize(rows, none);
}

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

void add_row(EventTable& table, const EventLine& line) {
    ++table.rows;
    std::size_t place = 0;
    for (const auto& [name, value] : line.numbers) put(table.number_columns, place, table.rows, name, value, no_number);
    place = 0;
    for (const auto& [name, value] : line.texts) {
        if (name != "event") put(table.text_columns, place, table.rows, name, value, std::string());
    }
    fill_up(table.number_columns, table.rows, no_number);
    fill_up(table.text_columns, table.rows, std::string());
}

void add_line(RunLog& log, std::string_view text, EventLine& line) {
    const std::string_view kind = parse_event_line(text, line) ? line.kind() : std::string_view();
    if (kind.empty()) {
        ++log.damaged;
        return;
    }
    auto table = log.tables.find(kind);
    if (table == log.tables.end()) table = log.tables.emplace(kind, EventTable()).first;
    add_row(table->second, line);
}

// Whether the file still holds the last line that was read, where it was.
bool goes_on(std::ifstream& file, const RunLog& log) {
    std::string line(log.last_line.size(), '\0');
    file.seekg(static_cast<std::streamoff>(log.bytes - line.size()));
    file.read(line.data(), static_cast<std::streamsize>(line.size()));
    const bool same = file && line == log.last_line;
    file.clear();
    return same;
}

}  // namespace

std::span<const double> EventTable::numbers(std::string_view name) const { return find_column(number_columns, name); }

std::span<const std::string> EventTable::texts(std::string_view name) const { return find_column(text_columns, name); }

const EventTable* RunLog::find(std::string_view kind) const {
    const auto found = tables.find(kind);
    return found == tables.end() ? nullptr : &found->second;
}

RunLog read_run_log(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder))
        throw std::runtime_error(folder.string() + ": there is no such folder; give the folder of a run");
    RunLog log;
    log.file = folder / "metrics.jsonl";
    if (!std::filesystem::exists(log.file) || !std::filesystem::exists(folder / "recipe.toml"))
        throw std::runtime_error(folder.string() +
                                 ": is no run, as it has no recipe.toml and metrics.jsonl; give a folder that ouaf "
                                 "train made");
    read_more(log);
    return log;
}

bool read_more(RunLog& log) {
    std::ifstream file(log.file, std::ios::binary | std::ios::ate);
    if (!file) throw std::runtime_error(log.file.string() + ": can't be read");
    const auto size = static_cast<std::uint64_t>(file.tellg());
    const bool cut = size < log.bytes || !goes_on(file, log);
    if (cut) {
        const std::filesystem::path path = log.file;
        log = {};
        log.file = path;
    }
    std::string text(size - log.bytes, '\0');
    file.seekg(static_cast<std::streamoff>(log.bytes));
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));

    std::string_view rest = text;
    EventLine line;
    std::string_view last;
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        last = rest.substr(0, end + 1);
        add_line(log, last.substr(0, end), line);
        rest.remove_prefix(end + 1);
    }
    log.bytes += text.size() - rest.size();
    if (!last.empty()) log.last_line = last;
    return cut || !last.empty();
}

}  // namespace ouaf
