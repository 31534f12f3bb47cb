// See trials.hpp.
#include "native/dashboard/trials.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <map>
#include <set>

#include "native/tune/trials.hpp"

namespace ouaf::dashboard {
namespace {

std::string trial_folder(int trial) {
    char name[32];
    std::snprintf(name, sizeof name, "%03d", trial);
    return name;
}

// A spread of values over an axis; equal ones lie in its middle.
struct Spread {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void add(double value) {
        if (!std::isfinite(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    double place(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

std::string shortly(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

Axis axis_of_numbers(const std::string& name, const std::vector<double>& numbers) {
    Axis axis{name, {}, "", ""};
    Spread plain;
    for (const double number : numbers) plain.add(number);
    const bool by_decades = plain.low > 0 && plain.high > 100 * plain.low;
    Spread spread;
    const auto scaled = [&](double number) { return by_decades ? std::log10(number) : number; };
    for (const double number : numbers) spread.add(scaled(number));
    for (const double number : numbers) axis.places.push_back(spread.place(scaled(number)));
    axis.low = shortly(plain.low);
    axis.high = shortly(plain.high);
    return axis;
}

Axis axis_of_key(const Trials& trials, std::size_t key) {
    std::vector<double> numbers;
    std::set<std::string> words;
    for (const TrialRow& row : trials.rows) {
        const auto [number, word] = value_of(row.values[key]);
        numbers.push_back(number);
        if (!word.empty()) words.insert(word);
    }
    if (words.empty()) return axis_of_numbers(trials.keys[key], numbers);
    Axis axis{trials.keys[key], {}, *words.begin(), *words.rbegin()};
    Spread spread{0, static_cast<double>(words.size() - 1)};
    for (const TrialRow& row : trials.rows) {
        const auto found = words.find(value_of(row.values[key]).second);
        axis.places.push_back(spread.place(static_cast<double>(std::distance(words.begin(), found))));
    }
    return axis;
}

}  // namespace

std::pair<double, std::string> value_of(const std::string& value) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (!value.empty() && *end == '\0') return {number, ""};
    return {std::numeric_limits<double>::infinity(), value};
}

Trials read_trials(const std::filesystem::path& folder) {
    Trials trials;
    std::map<int, TrialRecord> last;
    try {
        for (TrialRecord& record : read_records(folder)) last[record.job.trial] = std::move(record);
    } catch (const std::exception& error) {
        trials.error = error.what();
    }
    for (const auto& [trial, record] : last) {
        TrialRow row{trial,
                     record.last.epoch,
                     record.best.validation_loss,
                     record.best.validation_top1,
                     record.seconds,
                     record.failure,
                     {},
                     folder / "trials" / trial_folder(trial)};
        std::vector<std::string> keys;
        for (const std::string& given : record.overrides) {
            const std::size_t equals = given.find('=');
            keys.push_back(given.substr(0, equals));
            std::string value = given.substr(equals + 1);
            if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
            row.values.push_back(std::move(value));
        }
        if (trials.keys.empty()) trials.keys = keys;
        row.values.resize(trials.keys.size());
        trials.rows.push_back(std::move(row));
    }
    return trials;
}

std::vector<std::filesystem::path> find_searches(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> searches;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(root, error))
        if (std::filesystem::exists(entry.path() / "trials.jsonl")) searches.push_back(entry.path());
    std::sort(searches.begin(), searches.end());
    return searches;
}

std::vector<Axis> axes_of(const Trials& trials) {
    std::vector<Axis> axes;
    for (std::size_t key = 0; key < trials.keys.size(); ++key) axes.push_back(axis_of_key(trials, key));
    std::vector<double> measures;
    for (const TrialRow& row : trials.rows)
        measures.push_back(row.failure.empty() ? 100 * row.validation_top1 : std::nan(""));
    axes.push_back(axis_of_numbers("top-1, %", measures));
    return axes;
}

}  // namespace ouaf::dashboard
