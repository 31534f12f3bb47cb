// The orders of a confusion matrix, the axes of a search's trials, and the explanations of a recipe's keys.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "native/dashboard/class_order.hpp"
#include "native/dashboard/recipe_check.hpp"
#include "native/dashboard/trials.hpp"
#include "native/train/recipe.hpp"
#include "native/train/run_summary.hpp"

using namespace ouaf::dashboard;

namespace {

// a and c are confused most, b and d less, e never.
Mistakes five_classes() {
    Mistakes mistakes;
    mistakes.classes = {"ant", "bee", "cow", "dog", "eel"};
    mistakes.confusion.assign(25, 0);
    mistakes.confusion[0 * 5 + 2] = 6;
    mistakes.confusion[3 * 5 + 1] = 2;
    mistakes.pairs = {{0, 2, 6, 0}, {1, 3, 0, 2}};
    return mistakes;
}

}  // namespace

TEST_CASE("Classes are ordered by name, by confusion, and so that those that are confused stand side by side") {
    const Mistakes mistakes = five_classes();
    REQUIRE(order_classes(mistakes, ClassOrder::name, "") == std::vector<std::size_t>{0, 1, 2, 3, 4});
    REQUIRE(order_classes(mistakes, ClassOrder::confusion, "") == std::vector<std::size_t>{0, 2, 1, 3, 4});
    const std::vector<std::size_t> clusters = order_classes(mistakes, ClassOrder::cluster, "");
    const auto place = [&](std::size_t label) {
        return std::find(clusters.begin(), clusters.end(), label) - clusters.begin();
    };
    REQUIRE(clusters.size() == 5);
    REQUIRE(std::abs(place(0) - place(2)) == 1);
    REQUIRE(std::abs(place(1) - place(3)) == 1);
    REQUIRE(order_classes(mistakes, ClassOrder::name, "BE") == std::vector<std::size_t>{1, 3});  // and its confusions
    REQUIRE(order_classes(mistakes, ClassOrder::cluster, "nothing").empty());
}

TEST_CASE("Numbers over decades are spread by their logarithms, words by their order; a failed trial has no measure") {
    Trials trials;
    trials.keys = {"rate", "optimizer"};
    const auto add = [&](const char* rate, const char* optimizer, double top1, const char* failure) {
        TrialRow row;
        row.values = {rate, optimizer};
        row.validation_top1 = top1;
        row.failure = failure;
        trials.rows.push_back(row);
    };
    add("0.0001", "sgd", 0.2, "");
    add("0.01", "adam", 0.6, "");
    add("1", "lion", 0.4, "out of memory");
    const std::vector<Axis> axes = axes_of(trials);
    REQUIRE(axes.size() == 3);
    REQUIRE(axes[0].places[1] == Approx(0.5));
    REQUIRE(axes[1].places == std::vector<double>{1, 0, 0.5});
    REQUIRE(axes[1].low == "adam");
    REQUIRE(axes[2].places[1] == 1);
    REQUIRE(std::isnan(axes[2].places[2]));
}

TEST_CASE("Every key of a recipe has an explanation") {
    ouaf::Recipe recipe;
    recipe.stages.resize(1);
    recipe.network = "mlp";
    recipe.data.root = "data";
    recipe.distil.teachers = {"models/dogs"};
    for (const auto& [key, value] : ouaf::toml_keys(to_toml(recipe))) {
        INFO(key);
        CHECK(std::string(explain_key(key)) != "");
    }
}
