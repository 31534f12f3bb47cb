// Accuracy against hand-computed values, and the matching of folders to a model's classes.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "native/evaluate/metrics.hpp"

TEST_CASE("top-1, top-5 and cross-entropy of hand-made logits") {
    // Photo 0 right; photo 1's class is second; photo 2's class is last of six.
    const at::Tensor logits = at::tensor({3.0F, 1.0F, 0.0F, 0.0F, 0.0F, 0.0F,  //
                                          0.0F, 2.0F, 1.0F, 0.0F, 0.0F, 0.0F,  //
                                          5.0F, 4.0F, 3.0F, 2.0F, 1.0F, 0.0F})
                                  .reshape({3, 6});
    const std::vector<std::int64_t> labels{0, 2, 5};
    const auto nats = [](std::vector<double> row, std::size_t label, double t) {
        double sum = 0;
        for (const double z : row) sum += std::exp(z / t);
        return std::log(sum) - row[label] / t;
    };
    for (const double t : {1.0, 2.0}) {
        const ouaf::Accuracy accuracy = ouaf::measure(logits, labels, t);
        CHECK(accuracy.top1 == Approx(1.0 / 3));
        CHECK(accuracy.top5 == Approx(2.0 / 3));
        CHECK(accuracy.cross_entropy == Approx((nats({3, 1, 0, 0, 0, 0}, 0, t) + nats({0, 2, 1, 0, 0, 0}, 2, t) +
                                                nats({5, 4, 3, 2, 1, 0}, 5, t)) /
                                               3));
    }
}

TEST_CASE("Fewer than five classes have a top-5 all the same") {
    const at::Tensor logits = at::tensor({1.0F, 2.0F}).reshape({1, 2});
    CHECK(ouaf::measure(logits, std::vector<std::int64_t>{0}, 1).top5 == 1);
}

TEST_CASE("Folders match a model's classes by id or by name; others are left out and named") {
    ouaf::Bundle bundle;
    bundle.classes = {{"n02085620", {{"en", "Chihuahua"}}}, {"cats", {{"en", "a cat"}}}};
    ouaf::Dataset data;
    for (const char* folder : {"Chihuahua", "cats", "n02085620-Some_dog", "birds"}) {
        data.samples.push_back({folder, data.classes.size()});
        data.classes.push_back(ouaf::class_of_folder(folder));
    }
    const ouaf::MatchedSamples matched = ouaf::match_classes(data, bundle);
    REQUIRE(matched.samples.size() == 3);
    CHECK(matched.samples[0].label == 0);
    CHECK(matched.samples[1].label == 1);
    CHECK(matched.samples[2].label == 0);
    CHECK(matched.left_out == 1);
    CHECK(matched.unknown_classes == std::vector<std::string>{"birds"});

    data.samples = {{"x", 3}};
    CHECK_THROWS_WITH(ouaf::match_classes(data, bundle), Catch::Contains("none of its classes"));
}
