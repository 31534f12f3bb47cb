// See test_report.hpp. All is counted from report/photos.csv; what can't be is in report/report.json.
#include "native/dashboard/test_report.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "native/evaluate/confusion.hpp"
#include "native/files/csv.hpp"
#include "native/files/files.hpp"
#include "shared/bundle/bundle.hpp"

namespace ouaf::dashboard {
namespace {

class PhotosTable {
 public:
    PhotosTable(std::filesystem::path path, const std::vector<ClassLabel>& classes) : path_(std::move(path)) {
        for (std::size_t i = 0; i < classes.size(); ++i) places_[classes[i].id] = i;
    }

    // file, true, true_probability, class_1, probability_1, …
    std::vector<TestedPhoto> read() const {
        std::vector<TestedPhoto> photos;
        bool heading = true;
        for (const CsvRow& row : csv_rows(path_, read_text(path_))) {
            if (std::exchange(heading, false)) continue;
            if (row.fields.size() < 5 || row.fields.size() % 2 == 0) fail(row);
            TestedPhoto photo;
            photo.path = row.fields[0];
            photo.label = place(row, 1);
            photo.label_probability = number(row, 2);
            for (std::size_t i = 3; i < row.fields.size(); i += 2)
                photo.top.push_back({place(row, i), number(row, i + 1)});
            photo.predicted = photo.top.front().label;
            photo.loss = -std::log(photo.label_probability);
            photos.push_back(std::move(photo));
        }
        return photos;
    }

 private:
    [[noreturn]] void fail(const CsvRow& row) const {
        throw std::runtime_error(path_.string() + ":" + std::to_string(row.line) +
                                 ": no line of a report on this run's classes; test the model again");
    }

    std::size_t place(const CsvRow& row, std::size_t field) const {
        const auto found = places_.find(row.fields[field]);
        if (found == places_.end()) fail(row);
        return found->second;
    }

    double number(const CsvRow& row, std::size_t field) const {
        const std::string& text = row.fields[field];
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) fail(row);
        return value;
    }

    std::filesystem::path path_;
    std::map<std::string, std::size_t> places_;
};

nlohmann::json read_json(const std::filesystem::path& path) {
    nlohmann::json report = nlohmann::json::parse(read_text(path), nullptr, false);
    if (!report.is_object()) throw std::runtime_error(path.string() + ": is no report; test the model again");
    return report;
}

void count(Mistakes& mistakes) {
    std::vector<std::int64_t> labels;
    std::vector<std::int64_t> predicted;
    for (const TestedPhoto& photo : mistakes.photos) {
        labels.push_back(static_cast<std::int64_t>(photo.label));
        predicted.push_back(static_cast<std::int64_t>(photo.predicted));
    }
    const Confusion confusion = confuse(labels, predicted, mistakes.classes.size());
    mistakes.confusion = confusion.counts;
    for (const ClassMeasure& row : measure_classes(confusion))
        mistakes.rows.push_back({row.support, row.predicted, row.precision, row.recall, row.f1});
    for (const LookAlike& pair : look_alikes(confusion))
        mistakes.pairs.push_back({pair.first, pair.second, pair.first_as_second, pair.second_as_first});
}

}  // namespace

bool has_test_report(const std::filesystem::path& run) {
    std::error_code ignored;
    return std::filesystem::exists(run / "report" / "report.json", ignored);  // the last of its files
}

std::shared_ptr<const Mistakes> read_test_report(const std::filesystem::path& run) {
    const Bundle bundle = parse_bundle(read_text(run / "model" / "model.json"));
    const nlohmann::json report = read_json(run / "report" / "report.json");
    auto mistakes = std::make_shared<Mistakes>();
    mistakes->run = run;
    for (const ClassLabel& label : bundle.classes) mistakes->classes.push_back(label.name.at("en"));
    mistakes->top1 = report.value("top1", 0.0);
    mistakes->top5 = report.value("top5", 0.0);
    for (const nlohmann::json& photo : report.value("unreadable", nlohmann::json::array()))
        mistakes->unreadable.push_back(photo.value("file", "") + ": " + photo.value("error", ""));
    mistakes->photos = PhotosTable(run / "report" / "photos.csv", bundle.classes).read();
    std::stable_sort(mistakes->photos.begin(), mistakes->photos.end(),
                     [](const TestedPhoto& a, const TestedPhoto& b) { return a.loss > b.loss; });
    count(*mistakes);
    return mistakes;
}

}  // namespace ouaf::dashboard
