// See tuning.hpp.
#include "native/tune/tuning.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "native/train/read_table.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {
namespace {

constexpr int most_trials = 100'000;
constexpr double much = 1e9;

// A TOML value as it may stand in a file.
std::string toml_of(const toml::node& node) {
    if (const auto* number = node.as_floating_point()) return text_of(number->get());
    std::ostringstream text;
    node.visit([&](const auto& value) { text << toml::toml_formatter(value, toml::format_flags::none); });
    return text.str();
}

Dimension read_dimension(const std::filesystem::path& path, const std::string& key, const toml::node& node) {
    const auto fail = [&](const std::string& cause) {
        throw std::runtime_error(path.string() + ": '" + key + "' " + cause);
    };
    Dimension dimension{.key = key};
    if (const toml::array* choices = node.as_array()) {
        if (choices->empty()) fail("has no choices");
        for (const toml::node& choice : *choices) dimension.choices.push_back(toml_of(choice));
        return dimension;
    }
    const toml::table* range = node.as_table();
    if (!range || !range->contains("low") || !range->contains("high"))
        fail(
            "must be a list of choices or { low = ..., high = ... }; a key with dots stands in quotes, such as "
            "\"train.learning_rate\"");
    ReadTable reader(path, *range, "range");
    reader("low", dimension.low, -much, much);
    reader("high", dimension.high, -much, much);
    reader("log", dimension.log, 0, 1);
    reader("integer", dimension.integer, 0, 1);
    reader.refuse_others();
    if (dimension.low >= dimension.high) fail("must have a low that is smaller than high");
    if (dimension.log && dimension.low <= 0) fail("must have a low above 0, as its logarithm is drawn");
    if (dimension.integer)
        for (const char* end : {"low", "high"})
            if (!range->get(end)->is_integer()) fail("must have whole numbers as low and high");
    return dimension;
}

Space read_space(const std::filesystem::path& path, const toml::table& table) {
    std::vector<std::pair<toml::source_position, Dimension>> placed;  // a toml::table is sorted by its keys
    for (const auto& [key, node] : table)
        placed.emplace_back(key.source().begin, read_dimension(path, std::string(key.str()), node));
    std::sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Space space;
    for (auto& [place, dimension] : placed) space.push_back(std::move(dimension));
    return space;
}

// Each value alone over the recipe: a misspelt key is said before hours are spent on the others.
void try_values(const Tuning& tuning) {
    for (const Dimension& dimension : tuning.space) {
        std::vector<std::string> values = dimension.choices;
        if (values.empty()) values = {number_of(dimension, dimension.low), number_of(dimension, dimension.high)};
        for (const std::string& value : values)
            read_recipe(tuning.recipe, std::vector<std::string>{dimension.key + "=" + value});
    }
}

}  // namespace

Tuning read_tuning(const std::filesystem::path& path) {
    const toml::table table = parse_toml(path, "tuning");
    ReadTable reader(path, table, "tuning");
    Tuning tuning;
    const std::string recipe = reader.text("recipe");
    if (recipe.empty()) reader.fail("recipe", "must be a text: the recipe's file, beside this one");
    tuning.recipe = path.parent_path() / recipe;
    reader.choice("method", tuning.method, method_names);
    reader("trials", tuning.trials, 1, most_trials);
    reader("seed", tuning.seed, 0, much);
    reader("parallel", tuning.parallel, 1, 1024);
    reader.choice("monitor", tuning.monitor, monitor_names);
    reader("least", tuning.least, 1, most_trials);
    reader("factor", tuning.factor, 2, 1000);
    const toml::table* space = reader.table("space");
    reader.refuse_others();
    if (!space || space->empty()) reader.fail("space", "must be a table with the keys to search");
    tuning.space = read_space(path, *space);

    const Recipe whole = read_recipe(tuning.recipe);
    if (whole.stages.empty()) reader.fail("recipe", "must have a [train]: a head is fitted without epochs to watch");
    int epochs = 0;
    for (const Stage& stage : whole.stages) epochs += stage.fit.epochs;
    try_values(tuning);

    const bool asha = tuning.method == Method::asha;
    for (const char* key : {"least", "factor"})
        if (!asha && table.contains(key)) reader.fail(key, "is for method = \"asha\" alone");
    tuning.rungs = asha ? rungs_of(tuning.least, tuning.factor, epochs) : std::vector{0};
    if (asha && tuning.rungs.size() == 1)
        reader.fail("least",
                    "times factor must be no more than the recipe's epochs, which are " + std::to_string(epochs));
    for (const Dimension& dimension : tuning.space) {
        if (asha && dimension.key.ends_with(".epochs"))
            reader.fail("space", "must not hold " + dimension.key + ": asha itself says how long a trial trains");
        if (tuning.method == Method::grid && dimension.choices.empty())
            reader.fail("space", "must hold lists alone for a grid; '" + dimension.key + "' is a range");
    }
    if (tuning.method == Method::grid) {
        if (table.contains("trials")) reader.fail("trials", "follows from the space in a grid; leave it out");
        double combinations = 1;
        for (const Dimension& dimension : tuning.space) combinations *= static_cast<double>(dimension.choices.size());
        if (combinations > most_trials) reader.fail("space", "has more than 100000 combinations");
        tuning.values = grid(tuning.space);
        tuning.trials = static_cast<int>(tuning.values.size());
    } else {
        if (tuning.trials == 0) reader.fail("trials", "must say how many are drawn");
        for (int trial = 0; trial < tuning.trials; ++trial)
            tuning.values.push_back(draw(tuning.space, tuning.seed, trial));
    }
    return tuning;
}

std::string to_toml(const Tuning& tuning) {
    const auto name = [](const auto& names, auto which) { return std::string(names[static_cast<std::size_t>(which)]); };
    std::ostringstream text;
    text << "recipe = \"recipe.toml\"\n"
         << "method = \"" << name(method_names, tuning.method) << "\"\n";
    if (tuning.method != Method::grid) text << "trials = " << tuning.trials << "\nseed = " << tuning.seed << "\n";
    text << "parallel = " << tuning.parallel << "\n"
         << "monitor = \"" << name(monitor_names, tuning.monitor) << "\"\n";
    if (tuning.method == Method::asha) text << "least = " << tuning.least << "\nfactor = " << tuning.factor << "\n";
    text << "\n[space]\n";
    for (const Dimension& dimension : tuning.space) {
        text << '"' << dimension.key << "\" = ";
        if (dimension.choices.empty()) {
            text << "{ low = " << number_of(dimension, dimension.low)
                 << ", high = " << number_of(dimension, dimension.high) << (dimension.log ? ", log = true" : "")
                 << (dimension.integer ? ", integer = true" : "") << " }\n";
            continue;
        }
        std::string list;
        for (const std::string& choice : dimension.choices) list += (list.empty() ? "" : ", ") + choice;
        text << "[" << list << "]\n";
    }
    return text.str();
}

Search search_of(const Tuning& tuning) { return {tuning.trials, static_cast<int>(tuning.rungs.size()), tuning.factor}; }

}  // namespace ouaf
