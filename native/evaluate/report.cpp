// One function a file of the report.
#include "native/evaluate/report.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "native/files/csv.hpp"
#include "native/files/files.hpp"

namespace ouaf {
namespace {

using Fields = std::vector<std::string>;

// A class in a table: two fields.
Fields class_fields(const Bundle& bundle, std::size_t index) {
    const ClassLabel& label = bundle.classes.at(index);
    return {label.id, label.name.at("en")};
}

void append(Fields& fields, const Fields& more) { fields.insert(fields.end(), more.begin(), more.end()); }

std::string classes_csv(const Bundle& bundle, const Report& report) {
    std::string table = csv_line(Fields{"class", "name", "support", "predicted", "precision", "recall", "f1"});
    for (std::size_t i = 0; i < report.classes.size(); ++i) {
        const ClassMeasure& measure = report.classes[i];
        Fields fields = class_fields(bundle, i);
        append(fields, {std::to_string(measure.support), std::to_string(measure.predicted),
                        csv_number(measure.precision), csv_number(measure.recall), csv_number(measure.f1)});
        table += csv_line(fields);
    }
    return table;
}

// A row a class of the labels, a column a class answered.
std::string confusion_csv(const Bundle& bundle, const Confusion& confusion) {
    Fields header{"class"};
    for (const ClassLabel& label : bundle.classes) header.push_back(label.id);
    std::string table = csv_line(header);
    for (std::size_t label = 0; label < confusion.classes; ++label) {
        Fields fields{bundle.classes.at(label).id};
        for (std::size_t predicted = 0; predicted < confusion.classes; ++predicted)
            fields.push_back(std::to_string(confusion.at(label, predicted)));
        table += csv_line(fields);
    }
    return table;
}

std::string mistakes_csv(const Bundle& bundle, const MatchedSamples& matched, const Evaluation& evaluation,
                         const Report& report) {
    std::string table = csv_line(Fields{"file", "true", "true_name", "predicted", "predicted_name", "true_probability",
                                        "predicted_probability", "loss"});
    for (const Mistake& mistake : report.mistakes) {
        Fields fields{matched.samples[evaluation.samples[mistake.row]].path.string()};
        append(fields, class_fields(bundle, mistake.label));
        append(fields, class_fields(bundle, mistake.predicted));
        append(fields, {csv_number(mistake.label_probability), csv_number(mistake.predicted_probability),
                        csv_number(mistake.loss)});
        table += csv_line(fields);
    }
    return table;
}

// A row a photo that could be read, in their order, with its likeliest classes.
std::string photos_csv(const Bundle& bundle, const MatchedSamples& matched, const Evaluation& evaluation) {
    const auto shown = static_cast<std::int64_t>(std::min<std::size_t>(5, bundle.classes.size()));
    Fields header{"file", "true", "true_probability"};
    for (std::int64_t place = 1; place <= shown; ++place)
        append(header, {"class_" + std::to_string(place), "probability_" + std::to_string(place)});
    std::string table = csv_line(header);
    const at::Tensor odds = at::softmax(evaluation.logits.to(at::kDouble) / evaluation.temperature, 1);
    const auto [sorted, order] = at::sort(odds, true, 1, true);
    const auto probability = odds.accessor<double, 2>();
    const auto best = order.accessor<std::int64_t, 2>();
    for (std::int64_t row = 0; row < odds.size(0); ++row) {
        const auto place = static_cast<std::size_t>(row);
        const std::int64_t label = evaluation.labels[place];
        Fields fields{matched.samples[evaluation.samples[place]].path.string(),
                      bundle.classes.at(static_cast<std::size_t>(label)).id, csv_number(probability[row][label])};
        for (std::int64_t i = 0; i < shown; ++i)
            append(fields, {bundle.classes.at(static_cast<std::size_t>(best[row][i])).id,
                            csv_number(probability[row][best[row][i]])});
        table += csv_line(fields);
    }
    return table;
}

std::string look_alikes_csv(const Bundle& bundle, const Report& report) {
    std::string table =
        csv_line(Fields{"first", "first_name", "second", "second_name", "first_as_second", "second_as_first", "total"});
    for (const LookAlike& pair : report.look_alikes) {
        Fields fields = class_fields(bundle, pair.first);
        append(fields, class_fields(bundle, pair.second));
        append(fields, {std::to_string(pair.first_as_second), std::to_string(pair.second_as_first),
                        std::to_string(pair.total())});
        table += csv_line(fields);
    }
    return table;
}

nlohmann::ordered_json bins_json(const Calibration& calibration) {
    auto bins = nlohmann::ordered_json::array();
    for (const CalibrationBin& bin : calibration.bins)
        bins.push_back({{"count", bin.count}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
    return bins;
}

nlohmann::ordered_json report_json(const Bundle& bundle, const MatchedSamples& matched, const Evaluation& evaluation,
                                   const Report& report) {
    nlohmann::ordered_json json{
        {"model", bundle.name}, {"version", bundle.version}, {"sha256", bundle.sha256}, {"left_out", matched.left_out}};
    json.update(scalar_measures(evaluation, report));
    json["unreadable"] = unreadable_photos(matched, evaluation);
    json["calibration"] = bins_json(report.calibration);
    json["best_calibration"] = bins_json(report.best_calibration);
    json["classes"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < report.classes.size(); ++i) {
        const ClassMeasure& measure = report.classes[i];
        json["classes"].push_back({{"class", bundle.classes.at(i).id},
                                   {"support", measure.support},
                                   {"predicted", measure.predicted},
                                   {"precision", measure.precision},
                                   {"recall", measure.recall},
                                   {"f1", measure.f1}});
    }
    return json;
}

}  // namespace

Report make_report(const Evaluation& evaluation, std::size_t classes) {
    const at::Tensor& logits = evaluation.logits;
    const std::vector<std::int64_t>& labels = evaluation.labels;
    Report report;
    report.confusion = confuse(labels, predictions(logits), classes);
    report.classes = measure_classes(report.confusion);
    report.macro = macro_average(report.classes);
    report.calibration = measure_calibration(logits, labels, evaluation.temperature);
    report.best_temperature = fit_temperature(logits, labels);
    report.best_calibration = measure_calibration(logits, labels, report.best_temperature);
    report.best_cross_entropy = measure(logits, labels, report.best_temperature).cross_entropy;
    report.look_alikes = look_alikes(report.confusion);
    report.mistakes = find_mistakes(logits, labels, evaluation.temperature);
    return report;
}

nlohmann::ordered_json scalar_measures(const Evaluation& evaluation, const Report& report) {
    return {{"photos", evaluation.photos},
            {"tta", tta_names.at(static_cast<std::size_t>(evaluation.tta))},
            {"top1", evaluation.accuracy.top1},
            {"top5", evaluation.accuracy.top5},
            {"cross_entropy", evaluation.accuracy.cross_entropy},
            {"macro_precision", report.macro.precision},
            {"macro_recall", report.macro.recall},
            {"macro_f1", report.macro.f1},
            {"ece", report.calibration.expected_error},
            {"ece_by_chance", report.calibration.by_chance},
            {"temperature", evaluation.temperature},
            {"best_temperature", report.best_temperature},
            {"best_cross_entropy", report.best_cross_entropy},
            {"best_ece", report.best_calibration.expected_error},
            {"images_per_second", evaluation.images_per_second}};
}

nlohmann::ordered_json unreadable_photos(const MatchedSamples& matched, const Evaluation& evaluation) {
    auto list = nlohmann::ordered_json::array();
    for (const PhotoFailure& failure : evaluation.failures)
        list.push_back({{"file", matched.samples[failure.sample].path.string()}, {"error", failure.cause}});
    return list;
}

void write_report(const std::filesystem::path& folder, const Bundle& bundle, const MatchedSamples& matched,
                  const Evaluation& evaluation, const Report& report) {
    write_text(folder / "classes.csv", classes_csv(bundle, report));
    write_text(folder / "confusion.csv", confusion_csv(bundle, report.confusion));
    write_text(folder / "mistakes.csv", mistakes_csv(bundle, matched, evaluation, report));
    write_text(folder / "photos.csv", photos_csv(bundle, matched, evaluation));
    write_text(folder / "lookalikes.csv", look_alikes_csv(bundle, report));
    write_text(folder / "report.json", report_json(bundle, matched, evaluation, report).dump(2) + "\n");
}

}  // namespace ouaf
