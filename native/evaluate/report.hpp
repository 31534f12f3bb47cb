// All that one evaluation says, and the folder of files that says it.
//
//     const Evaluation evaluation = evaluate(model, matched.samples, progress);
//     write_report("report", model.bundle, matched, evaluation, make_report(evaluation, model.bundle.classes.size()));
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "native/evaluate/calibration.hpp"
#include "native/evaluate/confusion.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/evaluate/mistakes.hpp"

namespace ouaf {

struct Report {
    Confusion confusion;
    std::vector<ClassMeasure> classes;
    MacroAverage macro;
    Calibration calibration;        // at the evaluation's temperature
    double best_temperature = 1;    // of fit_temperature, in place of the evaluation's
    Calibration best_calibration;   // at that temperature
    double best_cross_entropy = 0;  // the same
    std::vector<LookAlike> look_alikes;
    std::vector<Mistake> mistakes;  // their rows are the evaluation's
};

Report make_report(const Evaluation& evaluation, std::size_t classes);

// The measures that are one number, by name.
nlohmann::ordered_json scalar_measures(const Evaluation& evaluation, const Report& report);

// A list of {"file", "error"}.
nlohmann::ordered_json unreadable_photos(const MatchedSamples& matched, const Evaluation& evaluation);

// Writes report.json, classes.csv, confusion.csv, photos.csv, mistakes.csv and lookalikes.csv into `folder`, which is
// there; files of these names are replaced, report.json the last. Throws std::runtime_error "path: cause".
void write_report(const std::filesystem::path& folder, const Bundle& bundle, const MatchedSamples& matched,
                  const Evaluation& evaluation, const Report& report);

}  // namespace ouaf
