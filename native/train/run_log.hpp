// What a run recorded: metrics.jsonl as columns, read while the run may still go on.
//
//     RunLog log = read_run_log("runs/a");
//     if (const EventTable* epochs = log.find("epoch")) plot(epochs->numbers("epoch"), epochs->numbers("loss"));
//     if (read_more(log)) …                  // what came since
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf {

template <class Value>
struct Column {
    std::string name;
    std::vector<Value> values;  // a row each
};

// All events of one kind. Lists and objects inside an event are left out; true and false are 1 and 0.
struct EventTable {
    std::size_t rows = 0;
    std::vector<Column<double>> number_columns;     // in the order they were first seen; NaN where a row has none
    std::vector<Column<std::string>> text_columns;  // empty where a row has none

    // A column by its name; an empty span where there is none.
    std::span<const double> numbers(std::string_view name) const;
    std::span<const std::string> texts(std::string_view name) const;
};

struct RunLog {
    std::filesystem::path file;
    std::map<std::string, EventTable, std::less<>> tables;  // by kind of event, whatever kinds there are
    std::size_t damaged = 0;                                // lines that are no event
    std::uint64_t bytes = 0;                                // read so far, whole lines
    std::string last_line;                                  // of them

    const EventTable* find(std::string_view kind) const;
};

// Reads a run's metrics.jsonl; a last line that is still being written waits for read_more. A million epochs take about
// a second. Throws std::runtime_error "path: cause; what to do" where the folder is not there or holds no run.
RunLog read_run_log(const std::filesystem::path& folder);

// Reads what was added since, and everything again where the run went back to a checkpoint and cut its file. Returns
// whether something changed.
bool read_more(RunLog& log);

}  // namespace ouaf
