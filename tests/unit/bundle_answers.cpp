// From logits to the printed answer, and the self-test that guards it.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "shared/bundle/bundle.hpp"
#include "shared/bundle/golden.hpp"
#include "shared/preprocess/decode.hpp"

using namespace ouaf;

namespace {

Bundle with_classes(std::size_t count) {
    Bundle bundle;
    for (std::size_t i = 0; i < count; ++i) {
        bundle.classes.push_back({"id" + std::to_string(i), {{"en", "name " + std::to_string(i)}, {"fr", "nom"}}});
    }
    return bundle;
}

std::vector<std::size_t> order(const std::vector<Prediction>& predictions) {
    std::vector<std::size_t> indices;
    for (const Prediction& prediction : predictions) indices.push_back(prediction.index);
    return indices;
}

// A change in one bit of one value.
std::vector<float> with_flipped_bit(std::vector<float> values, std::size_t at, unsigned bit) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &values[at], sizeof bits);
    bits ^= 1u << bit;
    std::memcpy(&values[at], &bits, sizeof bits);
    return values;
}

constexpr const char* different_picture = "prepares a picture differently";
constexpr const char* different_answer = "computes something else";

}  // namespace

TEST_CASE("probabilities are the softmax of the logits over the temperature", "[bundle]") {
    Bundle bundle = with_classes(3);
    const std::vector<float> logits{std::log(1.0F), std::log(2.0F), std::log(5.0F)};
    const auto plain = probabilities(bundle, logits);
    CHECK(plain[0] == Approx(1.0 / 8).epsilon(1e-7));
    CHECK(plain[1] == Approx(2.0 / 8).epsilon(1e-7));
    CHECK(plain[2] == Approx(5.0 / 8).epsilon(1e-7));
    bundle.temperature = 0.5;  // squares the odds
    const auto sharp = probabilities(bundle, logits);
    CHECK(sharp[0] == Approx(1.0 / 30).epsilon(1e-7));
    CHECK(sharp[2] == Approx(25.0 / 30).epsilon(1e-7));
}

TEST_CASE("probabilities of huge logits are finite and add up to 1", "[bundle]") {
    const auto all = probabilities(with_classes(3), std::vector<float>{3e38F, 3e38F, -3e38F});
    CHECK(all[0] == 0.5);
    CHECK(all[1] == 0.5);
    CHECK(all[2] == 0.0);
    CHECK(probabilities(with_classes(0), std::vector<float>{}).empty());
}

TEST_CASE("the best classes come first, equal ones in class order", "[bundle]") {
    const Bundle bundle = with_classes(5);
    const std::vector<float> logits{1, 3, 3, 2, 3};
    using Order = std::vector<std::size_t>;
    CHECK(order(rank(bundle, logits, 5)) == Order{1, 2, 4, 3, 0});
    CHECK(order(rank(bundle, logits, 2)) == Order{1, 2});
    CHECK(order(rank(bundle, logits, 99)) == Order{1, 2, 4, 3, 0});
    CHECK(rank(bundle, logits, 0).empty());
    const auto best = rank(bundle, logits, 1).front();
    CHECK(best.probability == probabilities(bundle, logits)[1]);
}

TEST_CASE("an answer is printed with its id, its English name and its probability", "[bundle]") {
    const auto json = to_json(with_classes(3), {Verdict::unsure, {{2, 0.75}, {0, 0.25}}});
    CHECK(json.dump() == R"({"verdict":"unsure","predictions":[{"id":"id2","name":"name 2","probability":0.75},)"
                         R"({"id":"id0","name":"name 0","probability":0.25}]})");
}

TEST_CASE("an answer is as sure as the bundle's thresholds let it be", "[bundle]") {
    Bundle bundle = with_classes(3);
    const auto verdict = [&](std::vector<float> logits) { return answer(bundle, logits, 3).verdict; };
    CHECK(verdict({-9, -9, -9}) == Verdict::sure);  // a bundle without thresholds never doubts
    bundle.unsure_below = 0.5;
    bundle.none_below = 2;
    CHECK(verdict({3, 0, 0}) == Verdict::sure);       // e^3 / (e^3 + 2) = 0.91
    CHECK(verdict({3, 3, 3}) == Verdict::unsure);     // a third each
    CHECK(verdict({1.9F, -9, -9}) == Verdict::none);  // however probable it is
    bundle.temperature = 3;                           // e / (e + 2) = 0.58; the largest logit is taken as it comes
    CHECK(verdict({3, 0, 0}) == Verdict::sure);
    bundle.temperature = 6;  // 0.45
    CHECK(verdict({3, 0, 0}) == Verdict::unsure);
    CHECK(answer(bundle, {}, 3).predictions.empty());
}

TEST_CASE("the self-test passes on the device it was made on", "[bundle][golden]") {
    const Filter filter = GENERATE(Filter::area, Filter::linear, Filter::cubic);
    const bool coloured = GENERATE(true, false);
    const PreprocessSpec spec{.filter = filter, .grey = !coloured, .equalise = !coloured};
    Golden golden = make_golden(spec);
    CHECK(golden.logits.empty());
    const auto file = golden_picture(golden);
    std::vector<float> tensor(tensor_size(spec));
    const PhotoSize size = preprocess(file, spec, tensor);
    CHECK(size.width == 72);
    CHECK(size.height == 60);
    CHECK_NOTHROW(check_tensor(golden, tensor));
}

TEST_CASE("the self-test's picture is the same in every build", "[bundle][golden]") {
    // Red counts columns and green rows, evenly from 0 to 255.
    const Image image = decode(golden_picture(make_golden({})), 60).image;
    for (int y = 0; y < 60; ++y) {
        for (int x = 0; x < 72; ++x) {
            REQUIRE(int{image.row(y)[3 * x]} == x * 255 / 71);
            REQUIRE(int{image.row(y)[3 * x + 1]} == y * 255 / 59);
        }
    }
}

TEST_CASE("the self-test fails on one flipped bit, and on another preprocessing", "[bundle][golden]") {
    const PreprocessSpec spec{.size = 32, .resize = 40};
    const Golden golden = make_golden(spec);
    std::vector<float> tensor(tensor_size(spec));
    preprocess(golden_picture(golden), spec, tensor);
    for (const std::size_t at : {std::size_t{0}, std::size_t{1500}, tensor.size() - 1}) {
        for (const unsigned bit : {0u, 22u, 31u}) {
            CHECK_THROWS_WITH(check_tensor(golden, with_flipped_bit(tensor, at, bit)),
                              Catch::Contains(different_picture));
        }
    }
    CHECK_THROWS_AS(check_tensor(golden, std::span(tensor).first(tensor.size() - 1)), std::runtime_error);
    for (const PreprocessSpec& other :
         {PreprocessSpec{.size = 32, .resize = 41}, PreprocessSpec{.size = 32, .resize = 40, .filter = Filter::linear},
          PreprocessSpec{.size = 32, .resize = 40, .filter = Filter::cubic},
          PreprocessSpec{.size = 32, .resize = 40, .grey = true},
          PreprocessSpec{.size = 32, .resize = 40, .equalise = true},
          PreprocessSpec{.size = 32, .resize = 40, .mean = {0.485F, 0.456F, 0.4061F}}}) {
        preprocess(golden_picture(golden), other, tensor);
        CHECK_THROWS_WITH(check_tensor(golden, tensor), Catch::Contains(different_picture));
    }
}

TEST_CASE("the self-test allows another library's rounding in the logits, nothing more", "[bundle][golden]") {
    Golden golden;
    golden.logits = {10.0F, -3.0F, 0.5F};
    const auto check = [&](const std::vector<float>& logits) { check_logits(golden, logits); };
    CHECK_NOTHROW(check({10.0F, -3.0F, 0.5F}));
    CHECK_NOTHROW(check({10.005F, -3.005F, 0.495F}));
    CHECK_THROWS_WITH(check({10.0F, -3.0F, 0.52F}), Catch::Contains(different_answer));
    CHECK_THROWS_WITH(check({-3.0F, 10.0F, 0.5F}), Catch::Contains(different_answer));
    CHECK_THROWS_WITH(check({10.0F, -3.0F}), Catch::Contains(different_answer));
    CHECK_THROWS_WITH(check({10.0F, -3.0F, 0.5F, 0.0F}), Catch::Contains(different_answer));
    CHECK_THROWS_WITH(check({}), Catch::Contains(different_answer));
    const float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(check({10.0F, -3.0F, not_a_number}), Catch::Contains(different_answer));
    CHECK_THROWS_WITH(check({infinity, -3.0F, 0.5F}), Catch::Contains(different_answer));
}

TEST_CASE("the self-test's picture is base64", "[bundle][golden]") {
    // RFC 4648, section 10
    const auto decoded = [](const std::string& letters) {
        const auto bytes = golden_picture({letters, 0, {}});
        return std::string(bytes.begin(), bytes.end());
    };
    CHECK(decoded("") == "");
    CHECK(decoded("Zg==") == "f");
    CHECK(decoded("Zm8=") == "fo");
    CHECK(decoded("Zm9v") == "foo");
    CHECK(decoded("Zm9vYmFy") == "foobar");
    CHECK_THROWS_WITH(golden_picture({"Zm9v!", 0, {}}), Catch::Contains("not base64"));
    const std::string made = make_golden({}).picture;
    CHECK(made.starts_with("iVBORw0KGgo"));  // PNG's signature
    CHECK(made.size() % 4 == 0);
}
