// See trials.hpp.
#include "native/tune/trials.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "native/files/files.hpp"
#include "native/train/run_log.hpp"

namespace ouaf {
namespace {

using nlohmann::ordered_json;

// JSON has no infinity: null stands for it.
double number_or_infinity(const ordered_json& value) {
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::infinity();
}

EpochMeasure measure_of(const ordered_json& line) {
    return {line.at("epoch"), number_or_infinity(line.at("loss")), number_or_infinity(line.at("validation_loss")),
            line.at("validation_top1")};
}

ordered_json json_of(const EpochMeasure& measure) {
    return {{"epoch", measure.epoch},
            {"loss", measure.loss},
            {"validation_loss", measure.validation_loss},
            {"validation_top1", measure.validation_top1}};
}

ordered_json json_of(const TrialRecord& record) {
    ordered_json line{{"trial", record.job.trial}, {"rung", record.job.rung}, {"set", record.overrides}};
    if (record.failure.empty()) {
        line["best"] = json_of(record.best);
        line["last"] = json_of(record.last);
    } else {
        line["failure"] = record.failure;
    }
    line["seconds"] = record.seconds;
    return line;
}

TrialRecord record_of(const ordered_json& line) {
    TrialRecord record{.job = {line.at("trial"), line.at("rung")}, .overrides = line.at("set")};
    if (line.contains("failure")) {
        record.failure = line.at("failure");
    } else {
        record.best = measure_of(line.at("best"));
        record.last = measure_of(line.at("last"));
    }
    record.seconds = line.at("seconds");
    return record;
}

struct Lines {
    std::vector<ordered_json> whole;
    std::size_t bytes = 0;  // of them
};

// JSON Lines; a last one without its end is left out, as its writer was killed, or is at it.
Lines read_lines(const std::filesystem::path& path) {
    Lines lines;
    if (!std::filesystem::exists(path)) return lines;
    const std::string text = read_text(path);
    for (;;) {
        const std::size_t end = text.find('\n', lines.bytes);
        if (end == std::string::npos) return lines;
        try {
            lines.whole.push_back(ordered_json::parse(text.substr(lines.bytes, end - lines.bytes)));
        } catch (const nlohmann::json::exception&) {
            throw std::runtime_error(path.string() + ":" + std::to_string(lines.whole.size() + 1) +
                                     ": is no JSON; was the file changed by hand?");
        }
        lines.bytes = end + 1;
    }
}

std::vector<TrialRecord> records_of(const Lines& lines, const std::filesystem::path& path) {
    std::vector<TrialRecord> records;
    for (const ordered_json& line : lines.whole) {
        try {
            records.push_back(record_of(line));
        } catch (const nlohmann::json::exception&) {
            throw std::runtime_error(path.string() + ":" + std::to_string(records.size() + 1) +
                                     ": is no record of a trial; was the file changed by hand?");
        }
    }
    return records;
}

}  // namespace

RunMeasures read_measures(const std::filesystem::path& run) {
    RunMeasures measures;
    if (!std::filesystem::exists(run / "metrics.jsonl")) return measures;
    const RunLog log = read_run_log(run);
    measures.finished = log.find("test") != nullptr;
    const EventTable* epochs = log.find("epoch");
    for (std::size_t row = 0; epochs && row < epochs->rows; ++row) {
        const auto loss = [&](const char* name) {
            const double value = epochs->numbers(name)[row];
            return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
        };
        measures.epochs.push_back({static_cast<int>(epochs->numbers("epoch")[row]), loss("loss"),
                                   loss("validation_loss"), epochs->numbers("validation_top1")[row]});
    }
    return measures;
}

double monitored(const EpochMeasure& measure, Monitor monitor) {
    return monitor == Monitor::validation_loss ? measure.validation_loss : -measure.validation_top1;
}

Result result_of(const TrialRecord& record, Monitor monitor) {
    const bool failed = !record.failure.empty();
    return {record.job, failed ? std::numeric_limits<double>::infinity() : monitored(record.best, monitor)};
}

TrialLog::TrialLog(const std::filesystem::path& folder) : path_(folder / "trials.jsonl") {
    file_.reset(std::fopen(path_.c_str(), "a"));
    if (!file_) throw std::runtime_error(path_.string() + ": can't be written; check the folder's permissions");
    for (int wait = 0; ::flock(::fileno(file_.get()), LOCK_EX | LOCK_NB) != 0; ++wait) {
        constexpr int most = 600;
        if (wait == most)
            throw std::runtime_error(folder.string() + ": another process searches here; wait for it, or stop it");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    const Lines lines = read_lines(path_);
    records_ = records_of(lines, path_);
    std::filesystem::resize_file(path_, lines.bytes);
}

void TrialLog::add(const TrialRecord& record) {
    const std::string line = json_of(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (std::fputs(line.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0 ||
        ::fsync(::fileno(file_.get())) != 0)
        throw std::runtime_error(path_.string() + ": can't be written; is the disk full?");
    records_.push_back(record);
}

std::vector<TrialRecord> read_records(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "trials.jsonl";
    return records_of(read_lines(path), path);
}

}  // namespace ouaf
