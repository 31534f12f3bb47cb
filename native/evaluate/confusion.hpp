// Which classes are taken for which, from labels and the classes that were answered.
//
//     const Confusion confusion = confuse(labels, predictions(logits), classes);
//     for (const LookAlike& pair : look_alikes(confusion)) …
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ouaf {

// The likeliest class of each row of logits [n, classes]; of equal ones the first.
std::vector<std::int64_t> predictions(const at::Tensor& logits);

struct Confusion {
    std::size_t classes = 0;
    std::vector<std::size_t> counts;  // [classes of the labels, classes answered]

    std::size_t at(std::size_t label, std::size_t predicted) const { return counts[label * classes + predicted]; }
};

// Labels and predictions, one a sample, are from 0 to classes - 1.
Confusion confuse(std::span<const std::int64_t> labels, std::span<const std::int64_t> predicted, std::size_t classes);

struct ClassMeasure {
    std::size_t support = 0;    // samples of the class
    std::size_t predicted = 0;  // samples that it was answered for
    double precision = 0;       // right answers / predicted; 0 where it was never answered
    double recall = 0;          // right answers / support; 0 without samples
    double f1 = 0;              // harmonic mean of both; 0 where both are 0
};

std::vector<ClassMeasure> measure_classes(const Confusion& confusion);

struct MacroAverage {
    double precision = 0;
    double recall = 0;
    double f1 = 0;
};

// Unweighted means over the classes that have samples: a list of photos may know but a few of a model's classes.
MacroAverage macro_average(std::span<const ClassMeasure> classes);

// Two classes, first < second, and how often each was taken for the other.
struct LookAlike {
    std::size_t first = 0;
    std::size_t second = 0;
    std::size_t first_as_second = 0;
    std::size_t second_as_first = 0;

    std::size_t total() const { return first_as_second + second_as_first; }
};

// Pairs that were confused at all, most often first; equal ones in class order.
std::vector<LookAlike> look_alikes(const Confusion& confusion);

}  // namespace ouaf
