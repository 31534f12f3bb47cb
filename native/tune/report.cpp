// See report.hpp.
#include "native/tune/report.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

#include "native/files/csv.hpp"

namespace ouaf {
namespace {

using Cells = std::vector<std::string>;

// "\"adam\"" as "adam"; other TOML as it is.
std::string unquoted(const std::string& value) {
    const bool quoted =
        value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value[0] == '\'');
    return quoted ? value.substr(1, value.size() - 2) : value;
}

std::string fixed(double number, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, number);
    return text;
}

void append(Cells& cells, const Cells& more) { cells.insert(cells.end(), more.begin(), more.end()); }

}  // namespace

std::vector<TrialRow> rows_of(const Tuning& tuning, const std::vector<TrialRecord>& records) {
    std::map<int, TrialRow> by_trial;
    for (const TrialRecord& record : records) {  // a trial's rungs come in their order
        TrialRow& row = by_trial[record.job.trial];
        row.trial = record.job.trial;
        row.values = tuning.values.at(static_cast<std::size_t>(row.trial));
        row.highest = record;
        row.seconds += record.seconds;
    }
    std::vector<TrialRow> rows;
    for (auto& [trial, row] : by_trial) rows.push_back(std::move(row));
    std::sort(rows.begin(), rows.end(), [&](const TrialRow& a, const TrialRow& b) {
        const double left = result_of(a.highest, tuning.monitor).loss;
        const double right = result_of(b.highest, tuning.monitor).loss;
        return std::tie(left, a.trial) < std::tie(right, b.trial);
    });
    return rows;
}

std::string table_of(const Tuning& tuning, const std::vector<TrialRow>& rows) {
    std::vector<Cells> lines{{"trial"}};
    for (const Dimension& dimension : tuning.space) lines[0].push_back(dimension.key);
    append(lines[0], {"epochs", "best epoch", "validation loss", "top-1 %", "seconds"});
    for (const TrialRow& row : rows) {
        Cells& cells = lines.emplace_back(Cells{std::to_string(row.trial)});
        for (const std::string& value : row.values) cells.push_back(unquoted(value));
        const EpochMeasure& best = row.highest.best;
        if (row.highest.failure.empty())
            append(cells, {std::to_string(row.highest.last.epoch), std::to_string(best.epoch),
                           fixed(best.validation_loss, 4), fixed(100 * best.validation_top1, 2)});
        else append(cells, {"-", "-", "-", "-"});
        cells.push_back(fixed(row.seconds, 1));
    }
    std::vector<std::size_t> widths(lines[0].size());
    for (const Cells& cells : lines)
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
    std::string text;
    for (std::size_t line = 0; line < lines.size(); ++line) {
        for (std::size_t i = 0; i < widths.size(); ++i)
            text += (i == 0 ? "" : "  ") + std::string(widths[i] - lines[line][i].size(), ' ') + lines[line][i];
        if (line > 0 && !rows[line - 1].highest.failure.empty()) text += "  failed: " + rows[line - 1].highest.failure;
        text += "\n";
    }
    return text;
}

std::string csv_of(const Tuning& tuning, const std::vector<TrialRow>& rows) {
    std::vector<Cells> lines{{"trial"}};
    for (const Dimension& dimension : tuning.space) lines[0].push_back(dimension.key);
    append(lines[0], {"state", "rung", "best_epoch", "best_loss", "best_validation_loss", "best_validation_top1",
                      "last_epoch", "last_loss", "last_validation_loss", "last_validation_top1", "seconds", "failure"});
    for (const TrialRow& row : rows) {
        const TrialRecord& record = row.highest;
        const bool failed = !record.failure.empty();
        Cells& cells = lines.emplace_back(Cells{std::to_string(row.trial)});
        for (const std::string& value : row.values) cells.push_back(unquoted(value));
        append(cells, {failed ? "failed" : "done", std::to_string(record.job.rung)});
        for (const EpochMeasure& each : {record.best, record.last}) {
            if (failed) append(cells, {"", "", "", ""});
            else
                append(cells, {std::to_string(each.epoch), text_of(each.loss), text_of(each.validation_loss),
                               text_of(each.validation_top1)});
        }
        append(cells, {fixed(row.seconds, 3), record.failure});
    }
    std::string text;
    for (const Cells& cells : lines) {
        for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + csv_field(cells[i]);
        text += "\r\n";
    }
    return text;
}

std::string recipe_of(const Tuning& tuning, const TrialRow& row, const std::string& name) {
    std::string text = "# Trial " + std::to_string(row.trial) + " of tune.toml: validation loss " +
                       fixed(row.highest.best.validation_loss, 4) + ", top-1 " +
                       fixed(100 * row.highest.best.validation_top1, 2) + " % after epoch " +
                       std::to_string(row.highest.best.epoch) + ".\nparent = \"recipe.toml\"\nname = \"" + name +
                       "\"\n";
    for (std::size_t i = 0; i < tuning.space.size(); ++i) text += tuning.space[i].key + " = " + row.values[i] + "\n";
    return text;
}

}  // namespace ouaf
