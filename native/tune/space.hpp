// What a search chooses from: keys of a recipe with their values.
//
//     Space space{{.key = "train.learning_rate", .low = 1e-4, .high = 1e-1, .log = true},
//                 {.key = "train.optimizer", .choices = {"\"sgd\"", "\"adam\""}}};
//     Values values = draw(space, seed, 3);          // {"0.002131", "\"adam\""}
//     read_recipe(path, overrides(space, values));   // {"train.learning_rate=0.002131", …}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ouaf {

// One key: choices, or a range of numbers with both ends.
struct Dimension {
    std::string key;                     // as `ouaf train --set` has it
    std::vector<std::string> choices{};  // as TOML; none: a range
    double low = 0;
    double high = 0;
    bool log = false;  // the logarithm is drawn uniformly
    bool integer = false;
};

using Space = std::vector<Dimension>;

// A value for each dimension, as TOML.
using Values = std::vector<std::string>;

// Every combination of the choices; the last dimension changes fastest. The space has no ranges.
std::vector<Values> grid(const Space& space);

// Drawn at random: the same for the same seed and trial on every machine, whatever was drawn before (Bergstra & Bengio
// 2012, https://jmlr.org/papers/v13/bergstra12a.html). Numbers that are not whole have four digits.
Values draw(const Space& space, std::uint64_t seed, int trial);

// The shortest text that is read as this number again, in TOML, JSON and CSV alike.
std::string text_of(double number);

// Written whole where the range is whole.
std::string number_of(const Dimension& range, double number);

std::vector<std::string> overrides(const Space& space, const Values& values);

}  // namespace ouaf
