// The head's optimum against the formula of its objective, and what the strengths of its pulls do.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "native/train/head_trainer.hpp"

namespace {

using ouaf::graph::HeadRows;

struct Problem {
    std::int64_t photos = 60, width = 5, classes = 3;
    std::vector<float> features;
    std::vector<std::int64_t> labels;
    ouaf::HeadStart start;

    Problem() {
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        for (std::int64_t i = 0; i < photos; ++i) {
            labels.push_back(i % classes);
            for (std::int64_t k = 0; k < width; ++k)
                features.push_back(normal(random) + (k == i % classes ? 1.5F : 0.0F));
        }
        start.rows = {classes, width, {}, {0.1F, -0.2F, 0.3F}};
        for (std::int64_t i = 0; i < classes * width; ++i) start.rows.weight.push_back(normal(random));
        start.known = {true, false, true};
    }

    HeadRows fit(const ouaf::HeadRecipe& recipe) {
        return ouaf::fit_head(at::from_blob(features.data(), {photos, width}), labels, start, recipe,
                              [](int, double) {});
    }
};

// The gradient of mean cross-entropy + sum strength * |row - start|^2 by its formula, in double: weight [c, k] and
// then bias [c, width].
std::vector<double> gradient(const Problem& p, const HeadRows& rows, const std::vector<double>& strength) {
    const auto width = static_cast<std::size_t>(p.width), classes = static_cast<std::size_t>(p.classes);
    std::vector<double> result(classes * (width + 1));
    for (std::size_t i = 0; i < p.labels.size(); ++i) {
        const float* x = &p.features[i * width];
        std::vector<double> odds(classes);
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) {
            double z = double{rows.bias[c]};
            for (std::size_t k = 0; k < width; ++k) z += double{rows.weight[c * width + k]} * double{x[k]};
            sum += odds[c] = std::exp(z);
        }
        for (std::size_t c = 0; c < classes; ++c) {
            const double wrong = odds[c] / sum - (static_cast<std::int64_t>(c) == p.labels[i] ? 1 : 0);
            for (std::size_t k = 0; k <= width; ++k) {
                result[c * (width + 1) + k] += wrong * (k < width ? double{x[k]} : 1.0) / static_cast<double>(p.photos);
            }
        }
    }
    for (std::size_t c = 0; c < classes; ++c) {
        for (std::size_t k = 0; k <= width; ++k) {
            const float now = k < width ? rows.weight[c * width + k] : rows.bias[c];
            const float then = k < width ? p.start.rows.weight[c * width + k] : p.start.rows.bias[c];
            result[c * (width + 1) + k] += 2 * strength[c] * (double{now} - double{then});
        }
    }
    return result;
}

}  // namespace

TEST_CASE("fit_head ends where the objective's gradient is zero") {
    Problem problem;
    const HeadRows rows = problem.fit({200, 0.01, 0.002});
    // float32 sums over 60 photos leave 1e-6; stopping at a relative change of 1e-6 leaves its root, 1e-3.
    for (const double slope : gradient(problem, rows, {0.01, 0.002, 0.01})) CHECK(std::abs(slope) < 2e-3);
    double before = 0;
    for (const double slope : gradient(problem, problem.start.rows, {0.01, 0.002, 0.01})) before += std::abs(slope);
    CHECK(before > 0.5);
}

TEST_CASE("A strong pull keeps known classes at their start and unknown ones free") {
    Problem problem;
    problem.start.rows.weight.assign(problem.start.rows.weight.size(), 0.5F);
    const HeadRows rows = problem.fit({200, 1e4, 1e-4});
    double known = 0, unknown = 0;
    for (std::size_t k = 0; k < 5; ++k) {
        known = std::max({known, std::abs(double{rows.weight[k]} - 0.5), std::abs(double{rows.weight[10 + k]} - 0.5)});
        unknown = std::max(unknown, std::abs(double{rows.weight[5 + k]} - 0.5));
    }
    CHECK(known < 1e-3);
    CHECK(unknown > 0.1);
}

TEST_CASE("No iterations leave the head as it starts") {
    Problem problem;
    CHECK(problem.fit({0, 0.01, 0.01}).weight == problem.start.rows.weight);
}

TEST_CASE("A head starts from the backbone's rows of the same ids, and from zero elsewhere") {
    const HeadRows backbone{3, 2, {1, 2, 3, 4, 5, 6}, {7, 8, 9}};
    const std::vector<ouaf::ClassLabel> known{{"a", {{"en", "A"}}}, {"b", {{"en", "B"}}}, {"c", {{"en", "C"}}}};
    const std::vector<ouaf::ClassLabel> wanted{{"c", {{"en", "C"}}}, {"new", {{"en", "New"}}}};
    const ouaf::HeadStart start = ouaf::start_head(backbone, known, wanted);
    CHECK(start.rows.weight == std::vector<float>{5, 6, 0, 0});
    CHECK(start.rows.bias == std::vector<float>{9, 0});
    CHECK(start.known == std::vector<bool>{true, false});
}
