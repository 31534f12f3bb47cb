// Counts, and what they say of a class and of a pair of classes.
#include "native/evaluate/confusion.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace ouaf {
namespace {

double share(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<std::int64_t> predictions(const at::Tensor& logits) {
    const at::Tensor best = logits.argmax(1).contiguous();
    const std::int64_t* first = best.const_data_ptr<std::int64_t>();
    return {first, first + best.numel()};
}

Confusion confuse(std::span<const std::int64_t> labels, std::span<const std::int64_t> predicted, std::size_t classes) {
    Confusion confusion{classes, std::vector<std::size_t>(classes * classes)};
    for (std::size_t i = 0; i < labels.size(); ++i)
        ++confusion.counts[static_cast<std::size_t>(labels[i]) * classes + static_cast<std::size_t>(predicted[i])];
    return confusion;
}

std::vector<ClassMeasure> measure_classes(const Confusion& confusion) {
    std::vector<ClassMeasure> measures(confusion.classes);
    for (std::size_t label = 0; label < confusion.classes; ++label) {
        for (std::size_t predicted = 0; predicted < confusion.classes; ++predicted) {
            measures[label].support += confusion.at(label, predicted);
            measures[predicted].predicted += confusion.at(label, predicted);
        }
    }
    for (std::size_t i = 0; i < measures.size(); ++i) {
        ClassMeasure& measure = measures[i];
        const std::size_t right = confusion.at(i, i);
        measure.precision = share(right, measure.predicted);
        measure.recall = share(right, measure.support);
        measure.f1 = share(2 * right, measure.support + measure.predicted);
    }
    return measures;
}

MacroAverage macro_average(std::span<const ClassMeasure> classes) {
    MacroAverage mean;
    double count = 0;
    for (const ClassMeasure& measure : classes) {
        if (measure.support == 0) continue;
        mean.precision += measure.precision;
        mean.recall += measure.recall;
        mean.f1 += measure.f1;
        ++count;
    }
    if (count == 0) return mean;
    return {mean.precision / count, mean.recall / count, mean.f1 / count};
}

std::vector<LookAlike> look_alikes(const Confusion& confusion) {
    std::vector<LookAlike> pairs;
    for (std::size_t first = 0; first < confusion.classes; ++first) {
        for (std::size_t second = first + 1; second < confusion.classes; ++second) {
            const LookAlike pair{first, second, confusion.at(first, second), confusion.at(second, first)};
            if (pair.total() > 0) pairs.push_back(pair);
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const LookAlike& a, const LookAlike& b) { return a.total() > b.total(); });
    return pairs;
}

}  // namespace ouaf
