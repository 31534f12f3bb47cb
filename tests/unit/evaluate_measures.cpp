// Confusion, calibration, mistakes and views against values computed by hand.
#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "native/evaluate/calibration.hpp"
#include "native/evaluate/confusion.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/evaluate/mistakes.hpp"
#include "native/evaluate/views.hpp"
#include "native/files/csv.hpp"
#include "tests/unit/pictures.hpp"

using namespace ouaf;
using Labels = std::vector<std::int64_t>;

namespace {

// Logits of two classes whose softmax gives the first this probability.
at::Tensor two_classes(const std::vector<double>& first) {
    const at::Tensor p = at::tensor(first, at::kDouble);
    return at::stack({p.log(), (1 - p).log()}, 1);
}

double cross_entropy(const at::Tensor& logits, const Labels& labels, double temperature) {
    return measure(logits, labels, temperature).cross_entropy;
}

}  // namespace

TEST_CASE("confusion, and what it says of classes", "[measures]") {
    const Labels labels{0, 0, 0, 1, 1, 2, 2};
    const Labels answers{0, 1, 1, 1, 0, 2, 3};
    const Confusion confusion = confuse(labels, answers, 5);
    CHECK(confusion.at(0, 0) == 1);
    CHECK(confusion.at(0, 1) == 2);
    CHECK(confusion.at(1, 0) == 1);
    CHECK(confusion.at(2, 3) == 1);
    CHECK(confusion.at(3, 2) == 0);

    const std::vector<ClassMeasure> classes = measure_classes(confusion);
    REQUIRE(classes.size() == 5);
    CHECK(classes[0].support == 3);
    CHECK(classes[0].predicted == 2);
    CHECK(classes[0].precision == Approx(1.0 / 2));
    CHECK(classes[0].recall == Approx(1.0 / 3));
    CHECK(classes[0].f1 == Approx(2.0 / 5));
    CHECK(classes[1].precision == Approx(1.0 / 3));
    CHECK(classes[1].recall == Approx(1.0 / 2));
    CHECK(classes[2].precision == 1);
    CHECK(classes[2].f1 == Approx(2.0 / 3));
    CHECK(classes[3].predicted == 1);  // answered once, and never there
    CHECK(classes[3].precision == 0);
    CHECK(classes[4].f1 == 0);

    const MacroAverage macro = macro_average(classes);  // of the three classes that are there
    CHECK(macro.precision == Approx((1.0 / 2 + 1.0 / 3 + 1) / 3));
    CHECK(macro.recall == Approx((1.0 / 3 + 1.0 / 2 + 1.0 / 2) / 3));
    CHECK(macro.f1 == Approx((2.0 / 5 + 2.0 / 5 + 2.0 / 3) / 3));

    const std::vector<LookAlike> pairs = look_alikes(confusion);
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[0].first == 0);
    CHECK(pairs[0].second == 1);
    CHECK(pairs[0].first_as_second == 2);
    CHECK(pairs[0].second_as_first == 1);
    CHECK(pairs[1].first == 2);
    CHECK(pairs[1].total() == 1);
}

TEST_CASE("equal logits answer the first class, in the matrix as in the accuracy", "[measures]") {
    const at::Tensor logits = at::zeros({3, 7});
    const Labels labels{0, 4, 5};
    CHECK(predictions(logits) == Labels{0, 0, 0});
    CHECK(measure(logits, labels, 1).top1 == Approx(1.0 / 3));
    CHECK(measure(logits, labels, 1).top5 == Approx(2.0 / 3));
    CHECK(measure(at::full({3, 7}, NAN), labels, 1).top5 == 0);  // what is no number is never right
}

TEST_CASE("the expected calibration error by fifteen bins", "[measures]") {
    // Bin 9 (0.6 to 0.667): 0.61 right, 0.65 wrong. Bin 12 (0.733 to 0.8): 0.75 right. Bin 15: 1.0 right, 0.95 wrong.
    const at::Tensor logits = two_classes({0.61, 0.35, 0.75, 0.05, 1 - 1e-300});
    const Labels labels{0, 0, 0, 0, 0};
    const Calibration calibration = measure_calibration(logits, labels, 1);
    CHECK(calibration.expected_error ==
          Approx(2.0 / 5 * std::abs(0.5 - 0.63) + 1.0 / 5 * std::abs(1 - 0.75) + 2.0 / 5 * std::abs(0.5 - 0.975)));
    REQUIRE(calibration.bins.size() == 15);
    CHECK(calibration.bins[9].count == 2);
    CHECK(calibration.bins[9].confidence == Approx(0.63));
    CHECK(calibration.bins[9].accuracy == Approx(0.5));
    CHECK(calibration.bins[11].count == 1);
    CHECK(calibration.bins[14].count == 2);
    CHECK(calibration.bins[0].count == 0);

    // At temperature 2 the odds 3 : 1 are sqrt(3) : 1.
    const double p = std::sqrt(3) / (std::sqrt(3) + 1);
    CHECK(measure_calibration(two_classes({0.75}), Labels{0}, 2).expected_error == Approx(1 - p));
}

TEST_CASE("what is left of the calibration error where a model is calibrated", "[measures]") {
    // One photo: right with p, |1 - p|, or wrong with 1 - p, |p|.
    CHECK(measure_calibration(two_classes({0.75}), Labels{0}, 1).by_chance == Approx(2 * 0.75 * 0.25));
    CHECK(measure_calibration(two_classes({0.75}), Labels{1}, 1).by_chance == Approx(2 * 0.75 * 0.25));
    // Equal probabilities in one bin: de Moivre's mean deviation of a binomial, 2 v C(n, v) p^v (1 - p)^(n - v + 1)
    // with v = floor(np) + 1; 300 photos, as many as lose a naive product's last bits.
    constexpr int n = 300;
    constexpr double p = 0.9;
    const double v = std::floor(n * p) + 1;
    const double choose = std::lgamma(n + 1.0) - std::lgamma(v + 1) - std::lgamma(n - v + 1);
    const double mean = 2 * v * std::exp(choose + v * std::log(p) + (n - v + 1) * std::log(1 - p));
    CHECK(measure_calibration(two_classes(std::vector<double>(n, p)), Labels(n, 0), 1).by_chance == Approx(mean / n));
    // Two photos in one bin, two in another: each outcome with its probability.
    const double low = 0.64 * 0.62 * 0.74 + 0.36 * 0.38 * 1.26 + 0.64 * 0.38 * 0.26 + 0.36 * 0.62 * 0.26;
    const double high = 0.76 * 0.78 * 0.46 + 0.24 * 0.22 * 1.54 + 0.76 * 0.22 * 0.54 + 0.24 * 0.78 * 0.54;
    CHECK(measure_calibration(two_classes({0.64, 0.62, 0.76, 0.78}), Labels{0, 0, 0, 0}, 1).by_chance ==
          Approx((low + high) / 4));
}

TEST_CASE("the temperature with the smallest cross-entropy", "[measures]") {
    // Logits (a, 0) with k of n samples of class 0: the best probability is k / n, so T = a / ln(k / (n - k)).
    for (const auto& [a, right, wrong] : {std::tuple(4.0, 3, 1), {0.02, 3, 1}, {300.0, 90, 10}, {1e-3, 51, 50}}) {
        const at::Tensor logits = at::tensor({a, 0.0}, at::kDouble).repeat({right + wrong, 1});
        Labels labels(static_cast<std::size_t>(right), 0);
        labels.resize(static_cast<std::size_t>(right + wrong), 1);
        const double exact = a / std::log(static_cast<double>(right) / wrong);
        // Newton's last step is below 1e-10 of the temperature; for small ones sums of n float64 round at about 1e-14.
        CHECK(fit_temperature(logits, labels) ==
              Approx(std::clamp(exact, least_temperature, most_temperature)).epsilon(1e-8));
    }
    const at::Tensor sure = at::tensor({5.0, 0.0}, at::kDouble).repeat({3, 1});
    CHECK(fit_temperature(sure, Labels{0, 0, 0}) == least_temperature);
    CHECK(fit_temperature(sure, Labels{1, 1, 1}) == most_temperature);
    CHECK(fit_temperature(at::zeros({2, 3}), Labels{0, 1}) == 1);  // equal logits say the same at any

    at::Generator generator = at::detail::createCPUGenerator(1);
    const at::Tensor logits = at::randn({200, 6}, generator) * 8 + 1000;
    const at::Tensor noisy = (logits + at::randn({200, 6}, generator) * 8).argmax(1).contiguous();
    const Labels labels(noisy.const_data_ptr<std::int64_t>(), noisy.const_data_ptr<std::int64_t>() + 200);
    const double best = fit_temperature(logits, labels);
    // A minimum is below its neighbours; 1e-4 away a cross-entropy of about 1 differs by about 1e-9.
    CHECK(cross_entropy(logits, labels, best) < cross_entropy(logits, labels, best * 1.0001));
    CHECK(cross_entropy(logits, labels, best) < cross_entropy(logits, labels, best / 1.0001));
}

TEST_CASE("mistakes, the worst first", "[measures]") {
    const at::Tensor logits = two_classes({0.9, 0.4, 0.2, 0.3});
    const std::vector<Mistake> mistakes = find_mistakes(logits, Labels{0, 0, 0, 1}, 1);
    REQUIRE(mistakes.size() == 2);
    CHECK(mistakes[0].row == 2);
    CHECK(mistakes[0].label == 0);
    CHECK(mistakes[0].predicted == 1);
    CHECK(mistakes[0].label_probability == Approx(0.2));
    CHECK(mistakes[0].predicted_probability == Approx(0.8));
    CHECK(mistakes[0].loss == Approx(-std::log(0.2)));
    CHECK(mistakes[1].row == 1);
}

TEST_CASE("the answer to several views is the mean of their probabilities", "[measures]") {
    const at::Tensor views = at::stack({two_classes({0.9, 0.5}), two_classes({0.5, 0.1})}, 1);  // [2, 2 views, 2]
    const at::Tensor mean = average_views(views, 1).exp();
    CHECK(mean[0][0].item<double>() == Approx((0.9 + 0.5) / 2));
    CHECK(mean[1][0].item<double>() == Approx((0.5 + 0.1) / 2));
    const double cooler = 0.81 / (0.81 + 0.01);  // odds 9 : 1 at temperature 1/2
    CHECK(average_views(views, 0.5).exp()[0][0].item<double>() == Approx((cooler + 0.5) / 2));
    // Probabilities far below what a float holds still have a logarithm.
    CHECK(average_views(at::tensor({0.0F, 1000.0F}).reshape({1, 1, 2}), 1)[0][0].item<float>() == Approx(-1000));
}

TEST_CASE("views are cut from the resized photo, the first as preprocess() cuts it", "[measures]") {
    const test::File file = test::png(test::scene(90, 61));
    for (const bool equalised : {false, true}) {
        const PreprocessSpec spec{.size = 24, .resize = 33, .filter = Filter::cubic, .equalise = equalised};
        const DecodedPhoto photo = decode(file, spec.resize);
        at::Tensor views = at::empty({view_count(Tta::ten_crop), 3, spec.size, spec.size});
        REQUIRE(views.size(0) == 10);
        write_views(photo, spec, Tta::ten_crop, views);

        at::Tensor plain = at::empty({3, spec.size, spec.size});
        preprocess(file, spec, {plain.data_ptr<float>(), tensor_size(spec)});
        CHECK(at::equal(views[0], plain));
        CHECK(at::equal(views.narrow(0, 5, 5), views.narrow(0, 0, 5).flip(3)));
        at::Tensor two = at::empty({2, 3, spec.size, spec.size});
        write_views(photo, spec, Tta::flip, two);
        CHECK(at::equal(two, at::stack({plain, plain.flip(2)})));
        if (equalised) continue;

        // 90 x 61 with a short side of 33 is 49 x 33: the corners of the whole of it.
        const Image whole = resize(photo.image, 49, 33, spec.filter, {0, 0, 49, 33});
        at::Tensor all = at::empty({3, 33, 49});
        normalise(whole, spec, {all.data_ptr<float>(), static_cast<std::size_t>(all.numel())});
        for (const auto& [view, x, y] : {std::tuple(1, 0, 0), {2, 25, 0}, {3, 0, 9}, {4, 25, 9}, {0, 12, 4}})
            CHECK(at::equal(views[view], all.narrow(1, y, 24).narrow(2, x, 24)));
    }
}

TEST_CASE("tables quote what needs it, and numbers come back", "[measures]") {
    const std::vector<std::string> fields{"", "a,b", "say \"ouaf\"", "two\nlines", "plain"};
    CHECK(csv_line(fields) == ",\"a,b\",\"say \"\"ouaf\"\"\",\"two\nlines\",plain\n");
    CHECK(csv_number(0.1) == "0.1");
    CHECK(std::stod(csv_number(1.0 / 3)) == 1.0 / 3);
    CHECK(csv_number(NAN).empty());
}
