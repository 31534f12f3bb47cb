// ouaf compare RUN…: runs side by side, finished or not.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/files/csv.hpp"
#include "native/train/run_log.hpp"
#include "native/train/run_summary.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::vector<std::string> runs;
    bool csv = false;
};

struct Run {
    std::string folder;
    RunLog log;
    RunSummary summary;
    std::map<std::string, std::string> recipe;
};

constexpr const char* nothing = "-";

std::string formatted(const char* format, double value) {
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), format, value);  // NOLINT: the formats stand below
    return text.data();
}

std::string percent(std::optional<double> share) { return share ? formatted("%.2f %%", 100 * *share) : nothing; }
std::string nats(std::optional<double> loss) { return loss ? formatted("%.4f", *loss) : nothing; }
std::string whole(std::optional<double> number) {
    return number ? grouped(static_cast<std::size_t>(std::llround(*number))) : nothing;
}

std::string state(const RunSummary& run) {
    if (run.finished) return "finished";
    if (!run.time) return "unfinished";
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    return "unfinished, last event " + formatted("%.0f s ago", std::max(now - *run.time, 0.0));
}

struct Line {
    std::string name;
    std::vector<std::string> cells;  // one a run
};

// The recipe's keys that are not the same in all runs.
std::vector<Line> differences(const std::vector<Run>& runs) {
    std::map<std::string, std::vector<std::string>> cells;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (const auto& [key, value] : runs[i].recipe) {
            auto& row = cells[key];
            row.resize(runs.size(), nothing);
            row[i] = value;
        }
    }
    std::vector<Line> lines;
    for (auto& [key, row] : cells) {
        if (std::adjacent_find(row.begin(), row.end(), std::not_equal_to<>()) == row.end()) continue;
        lines.push_back({key, std::move(row)});
    }
    return lines;
}

void print(const std::vector<Line>& lines) {
    std::vector<std::size_t> widths(lines.front().cells.size() + 1);
    for (const Line& line : lines) {
        widths[0] = std::max(widths[0], line.name.size());
        for (std::size_t i = 0; i < line.cells.size(); ++i)
            widths[i + 1] = std::max(widths[i + 1], line.cells[i].size());
    }
    for (const Line& line : lines) {
        std::string text = line.name;
        std::size_t width = widths[0];
        for (std::size_t i = 0; i < line.cells.size(); ++i) {
            text.resize(width + 2, ' ');
            text += line.cells[i];
            width += 2 + widths[i + 1];
        }
        std::printf("%s\n", text.c_str());
    }
}

void print_side_by_side(const std::vector<Run>& runs) {
    std::vector<Line> lines{{"", {}}};
    for (const Run& run : runs) lines.front().cells.push_back(run.folder);
    for (Line& line : differences(runs)) lines.push_back(std::move(line));
    const auto add = [&](const char* name, const std::function<std::string(const RunSummary&)>& cell) {
        Line line{name, {}};
        for (const Run& run : runs) line.cells.push_back(cell(run.summary));
        if (std::any_of(line.cells.begin(), line.cells.end(), [](const std::string& c) { return c != nothing; }))
            lines.push_back(std::move(line));
    };
    const auto count = [](std::size_t number) { return number == 0 ? nothing : grouped(number); };
    add("state", state);
    add("parameters", [](const RunSummary& run) { return whole(run.parameters); });
    add("epochs", [&](const RunSummary& run) { return count(run.epochs); });
    add("iterations", [&](const RunSummary& run) { return count(run.iterations); });
    add("best epoch", [](const RunSummary& run) { return whole(run.best_epoch); });
    add("validation loss", [](const RunSummary& run) { return nats(run.validation_loss); });
    add("validation top-1", [](const RunSummary& run) { return percent(run.validation_top1); });
    add("validation top-5", [](const RunSummary& run) { return percent(run.validation_top5); });
    add("test loss", [](const RunSummary& run) { return nats(run.test_loss); });
    add("test top-1", [](const RunSummary& run) { return percent(run.test_top1); });
    add("test top-5", [](const RunSummary& run) { return percent(run.test_top5); });
    add("images/s", [](const RunSummary& run) { return whole(run.images_per_second); });
    print(lines);
}

// Epochs, and iterations where a head was fitted: a row each, with the columns of all runs.
void print_csv(const std::vector<Run>& runs) {
    constexpr std::array<std::string_view, 2> kinds{"epoch", "iteration"};
    std::vector<std::string> columns{"run"};
    for (const std::string_view kind : kinds) {
        for (const Run& run : runs) {
            const EventTable* table = run.log.find(kind);
            if (!table) continue;
            for (const auto& column : table->number_columns)
                if (std::find(columns.begin(), columns.end(), column.name) == columns.end())
                    columns.push_back(column.name);
        }
    }
    std::cout << csv_line(columns);
    std::vector<std::string> fields(columns.size());
    for (const Run& run : runs) {
        fields[0] = run.folder;
        for (const std::string_view kind : kinds) {
            const EventTable* table = run.log.find(kind);
            for (std::size_t row = 0; table && row < table->rows; ++row) {
                for (std::size_t i = 1; i < columns.size(); ++i) {
                    const std::span<const double> values = table->numbers(columns[i]);
                    fields[i] = values.empty() ? "" : csv_number(values[row]);
                }
                std::cout << csv_line(fields);
            }
        }
    }
}

void run(const Options& options) {
    std::vector<Run> runs;
    for (const std::string& folder : options.runs) {
        Run run{folder, read_run_log(folder), {}, recipe_keys(folder)};
        run.summary = summarise(run.log);
        if (run.log.damaged > 0)
            std::fprintf(stderr, "%s: %zu lines are no events and were left out\n", run.log.file.c_str(),
                         run.log.damaged);
        runs.push_back(std::move(run));
    }
    if (options.csv) print_csv(runs);
    else print_side_by_side(runs);
}

}  // namespace

void add_compare(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("compare", "Put training runs side by side");
    command->add_option("runs", options->runs, "folders of runs, such as runs/*")->required();
    command->add_flag("--csv", options->csv, "every epoch of every run, as one table");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
