// See space.hpp.
#include "native/tune/space.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "native/graph/random.hpp"

namespace ouaf {
namespace {

double with_four_digits(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", number);
    return std::strtod(text, nullptr);
}

std::string draw_number(const Dimension& range, double share) {
    // Each whole number has as much room as the others: half a step more at both ends.
    const double room = range.integer ? 0.5 : 0;
    double low = range.low - room;
    double high = range.high + room;
    if (range.log) {
        low = std::log(low);
        high = std::log(high);
    }
    double number = low + share * (high - low);
    if (range.log) number = std::exp(number);
    number = range.integer ? std::round(number) : with_four_digits(number);
    return number_of(range, std::clamp(number, range.low, range.high));
}

}  // namespace

std::vector<Values> grid(const Space& space) {
    std::vector<Values> all{{}};
    for (const Dimension& dimension : space) {
        std::vector<Values> longer;
        for (const Values& values : all) {
            for (const std::string& choice : dimension.choices) {
                longer.push_back(values);
                longer.back().push_back(choice);
            }
        }
        all = std::move(longer);
    }
    return all;
}

Values draw(const Space& space, std::uint64_t seed, int trial) {
    graph::Random random(seed, "trial " + std::to_string(trial));
    Values values;
    for (const Dimension& dimension : space) {
        const double share = random.uniform();
        const auto count = static_cast<double>(dimension.choices.size());
        if (count == 0) values.push_back(draw_number(dimension, share));
        else values.push_back(dimension.choices[static_cast<std::size_t>(share * count)]);
    }
    return values;
}

std::string text_of(double number) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string number_of(const Dimension& range, double number) {
    return range.integer ? std::to_string(static_cast<std::int64_t>(number)) : text_of(number);
}

std::vector<std::string> overrides(const Space& space, const Values& values) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < space.size(); ++i) all.push_back(space[i].key + "=" + values[i]);
    return all;
}

}  // namespace ouaf
