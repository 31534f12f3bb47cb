// TOML in and out, through toml++. What keys there are, with their ranges, stands once: in the functions each_key.
#include "native/train/recipe.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace ouaf {
namespace {

constexpr double much = 1e9;

template <class Visit>
void each_key(HeadRecipe& head, Visit&& visit) {
    visit("iterations", head.iterations, 0, 100'000);
    visit("pull_to_start", head.pull_to_start, 0, 1e6);
    visit("weight_decay", head.weight_decay, 0, 1e6);
}

template <class Visit>
void each_key(FitRecipe& train, Visit&& visit) {
    visit("epochs", train.epochs, 1, 100'000);
    visit("batch", train.batch, 1, 65'536);
    visit("accumulate", train.accumulate, 1, 65'536);
    visit("seed", train.seed, 0, much);
    visit.choice("optimizer", train.optimizer.kind, optimizer_names);
    visit("momentum", train.optimizer.momentum, 0, 1);
    visit("nesterov", train.optimizer.nesterov, 0, 1);
    visit("alpha", train.optimizer.alpha, 0, 1);
    visit("beta1", train.optimizer.beta1, 0, 1);
    visit("beta2", train.optimizer.beta2, 0, 1);
    visit("epsilon", train.optimizer.epsilon, 0, 1);
    visit("learning_rate", train.learning_rate, 0, 1000);
    visit("weight_decay", train.weight_decay, 0, 1000);
    visit("layer_decay", train.layer_decay, 0, 1);
    visit.choice("schedule", train.schedule.kind, schedule_names);
    visit("warm_up", train.schedule.warm_up, 0, 100'000);
    visit("every", train.schedule.every, 0.01, 100'000);
    visit("factor", train.schedule.factor, 0, 1);
    visit("least", train.schedule.least, 0, 1);
    visit.choice("loss", train.loss.kind, loss_names);
    visit("label_smoothing", train.loss.label_smoothing, 0, 1);
    visit("clip", train.clip, 0, much);
    visit("ema", train.ema, 0, 1);
    visit("train_last", train.train_last, -1, 100'000);
    visit("stop_patience", train.stop_patience, 0, 100'000);
    visit("plateau_patience", train.plateau_patience, 0, 100'000);
    visit("plateau_factor", train.plateau_factor, 0, 1);
    visit("plateau_least", train.plateau_least, 0, 1);
    visit("bfloat16", train.bfloat16, 0, 1);
    visit("checkpoint_seconds", train.checkpoint_seconds, 0, much);
}

template <class Visit>
void each_key(AugmentRecipe& augment, Visit&& visit) {
    visit("crop", augment.crop, 0.01, 1);
    visit("flip", augment.flip, 0, 1);
    visit("rotation", augment.rotation, 0, 180);
    visit("shift", augment.shift, 0, 1);
    visit("shear", augment.shear, 0, 89);
    visit("zoom", augment.zoom, 0, 0.99);
    visit("brightness", augment.brightness, 0, 10);
    visit("contrast", augment.contrast, 0, 1);
    visit("saturation", augment.saturation, 0, 1);
    visit("grey", augment.grey, 0, 1);
    visit("erase", augment.erase, 0, 1);
    visit("mixup", augment.mixup, 0, 100);
    visit("cutmix", augment.cutmix, 0, 100);
}

// Reads the keys of one table, and refuses what is not read.
class Read {
 public:
    Read(const std::filesystem::path& path, const toml::table& table) : path_(&path), table_(&table) {}

    std::string text(std::string_view key) {
        known_.emplace_back(key);
        if (!table_->contains(key)) return "";
        const auto value = (*table_)[key].value<std::string>();
        if (!value || value->empty()) fail(key, "must be a text");
        return *value;
    }

    const toml::table* table(std::string_view key) {
        known_.emplace_back(key);
        if (!table_->contains(key)) return nullptr;
        if (!(*table_)[key].is_table()) fail(key, "must be a table");
        return (*table_)[key].as_table();
    }

    template <class T>
    void operator()(std::string_view key, T& value, double low, double high) {
        known_.emplace_back(key);
        if (!table_->contains(key)) return;
        const toml::node_view<const toml::node> given = (*table_)[key];
        if constexpr (std::is_same_v<T, bool>) {
            if (!given.is_boolean()) fail(key, "must be true or false");
            value = *given.value<bool>();
        } else if constexpr (std::is_same_v<T, std::array<double, 2>>) {
            const toml::array* pair = given.as_array();
            if (!pair || pair->size() != 2) fail(key, "must be two numbers, [least, most]");
            for (std::size_t i = 0; i < 2; ++i) value[i] = number(key, (*pair)[i].value<double>(), low, high);
            if (value[0] > value[1]) fail(key, "must be [least, most]");
        } else {
            value = static_cast<T>(number(key, given.value<double>(), low, high));
            if constexpr (std::is_integral_v<T>)
                if (!given.is_integer()) fail(key, "must be a whole number");
        }
    }

    std::vector<std::string> texts(std::string_view key) {
        known_.emplace_back(key);
        std::vector<std::string> values;
        if (!table_->contains(key)) return values;
        const toml::array* const given = (*table_)[key].as_array();
        if (!given || given->empty()) fail(key, "must be a list of texts");
        for (const toml::node& node : *given) {
            values.push_back(node.value<std::string>().value_or(""));
            if (values.back().empty()) fail(key, "must be a list of texts");
        }
        return values;
    }

    std::array<double, 3> shares(std::string_view key) {
        known_.emplace_back(key);
        std::array<double, 3> values{};
        if (!table_->contains(key)) return values;
        const toml::array* const given = (*table_)[key].as_array();
        if (!given || given->size() != values.size()) fail(key, "must be three shares, [training, validation, test]");
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = number(key, (*given)[i].value<double>(), 0, 1);
        constexpr double slack = 1e-6;  // of thirds and the like, written with a few digits
        const double sum = values[0] + values[1] + values[2];
        if (std::abs(sum - 1) > slack || values[0] == 0) fail(key, "must sum to 1, with a share for training");
        return values;
    }

    template <class Choice>
    void choice(std::string_view key, Choice& value, std::span<const std::string_view> names) {
        const std::string given = text(key);
        if (given.empty()) return;
        const auto found = std::find(names.begin(), names.end(), given);
        if (found == names.end()) fail(key, "must be one of " + joined(names));
        value = static_cast<Choice>(found - names.begin());
    }

    void refuse_others() const {
        for (const auto& [key, value] : *table_)
            if (std::find(known_.begin(), known_.end(), key.str()) == known_.end())
                fail(std::string(key.str()), "is not a key of a recipe (known here: " + joined(known_) + ")");
    }

    // Names the file, or the override, that gives the key; the recipe itself where none does.
    [[noreturn]] void fail(std::string_view key, const std::string& what) const {
        const toml::node* given = table_->get(key);
        const toml::source_path_ptr from = given ? given->source().path : nullptr;
        throw std::runtime_error((from ? *from : path_->string()) + ": '" + std::string(key) + "' " + what);
    }

 private:
    template <class Names>
    static std::string joined(const Names& names) {
        std::string list;
        for (const auto& name : names) list.append(list.empty() ? "" : ", ").append(name);
        return list;
    }

    double number(std::string_view key, std::optional<double> value, double low, double high) const {
        if (value && *value >= low && *value <= high) return *value;
        std::ostringstream range;
        range << "must be a number from " << low << " to " << high;
        fail(key, range.str());
    }

    const std::filesystem::path* path_;
    const toml::table* table_;
    std::vector<std::string> known_;
};

class Write {
 public:
    explicit Write(toml::table& table) : table_(&table) {}

    template <class T>
    void operator()(std::string_view key, const T& value, double, double) {
        if constexpr (std::is_same_v<T, bool>) table_->insert(key, value);
        else if constexpr (std::is_same_v<T, std::array<double, 2>>)
            table_->insert(key, toml::array{value[0], value[1]});
        else if constexpr (std::is_integral_v<T>) table_->insert(key, static_cast<std::int64_t>(value));
        else table_->insert(key, value);
    }

    template <class Choice>
    void choice(std::string_view key, Choice value, std::span<const std::string_view> names) {
        table_->insert(key, std::string(names[static_cast<std::size_t>(value)]));
    }

 private:
    toml::table* table_;
};

template <class Section>
void read_section(const std::filesystem::path& path, const toml::table& table, Section& section) {
    Read reader(path, table);
    each_key(section, reader);
    reader.refuse_others();
}

// Keys of `over` take the place of `table`'s, within tables too. Moved, values keep where they were read.
void lay_over(toml::table& table, toml::table&& over) {
    for (auto&& [key, value] : over) {
        toml::table* inner = table[key].as_table();
        if (inner && value.is_table()) lay_over(*inner, std::move(*value.as_table()));
        else value.visit([&table, &name = key](auto& node) { table.insert_or_assign(name, std::move(node)); });
    }
}

// "train.optimizer=adam" as a table that is read from "--set train.optimizer=adam".
toml::table read_override(const std::string& given) {
    const std::string source = "--set " + given;
    const std::size_t equals = given.find('=');
    if (equals != std::string::npos) {
        const std::string key = given.substr(0, equals);
        const std::string value = given.substr(equals + 1);
        // What is no TOML is a text whose quotes the shell has taken away.
        for (const std::string& text : {value, "'" + value + "'"}) {
            try {
                return toml::parse(key + " = " + text, source);
            } catch (const toml::parse_error&) {
            }
        }
    }
    throw std::runtime_error(source + ": must be KEY=VALUE, such as train.learning_rate=0.01");
}

toml::table read_with_parents(const std::filesystem::path& path, int depth) {
    constexpr int deepest = 16;
    if (depth > deepest) throw std::runtime_error(path.string() + ": more than 16 parents; does one name itself?");
    if (!std::filesystem::exists(path))
        throw std::runtime_error(path.string() + ": there is no such recipe; see recipes/");
    toml::table table;
    try {
        table = toml::parse_file(path.string());
    } catch (const toml::parse_error& error) {
        std::ostringstream cause;
        cause << path.string() << ":" << error.source().begin.line << ": " << error.description();
        throw std::runtime_error(cause.str());
    }
    const std::string parent = Read(path, table).text("parent");
    if (parent.empty()) return table;
    table.erase("parent");
    toml::table whole = read_with_parents(path.parent_path() / parent, depth + 1);
    lay_over(whole, std::move(table));
    return whole;
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& path, std::span<const std::string> overrides) {
    toml::table table = read_with_parents(path, 0);
    for (const std::string& given : overrides) lay_over(table, read_override(given));
    Read reader(path, table);
    Recipe recipe;
    recipe.name = reader.text("name");
    recipe.backbone = reader.text("backbone");
    recipe.network = reader.text("network");
    recipe.data.root = reader.text("data");
    reader("validation", recipe.data.validation, 0, 0.9);
    recipe.data.split = reader.shares("split");
    recipe.data.classes = reader.texts("classes");
    if (const toml::table* head = reader.table("head")) read_section(path, *head, recipe.head);
    if (const toml::table* train = reader.table("train")) read_section(path, *train, recipe.train.emplace());
    if (recipe.train) recipe.data.seed = recipe.train->seed;
    if (const toml::table* augment = reader.table("augment")) read_section(path, *augment, recipe.augment);
    reader.refuse_others();
    for (const auto& [key, value] : {std::pair{"name", recipe.name}, std::pair{"data", recipe.data.root.string()}})
        if (value.empty()) reader.fail(key, "must be a text");
    if (recipe.name.find('/') != std::string::npos) reader.fail("name", "must not hold a /");
    if (recipe.backbone.empty() == recipe.network.empty())
        reader.fail("backbone", "must be a text, or 'network' in its place");
    if (recipe.network.empty() && recipe.train)
        reader.fail("train", "needs 'network': of a backbone only the head is fitted, as [head] says");
    if (!recipe.network.empty() && !recipe.train)
        reader.fail("train", "must be a table: 'network' begins from nothing");
    return recipe;
}

std::string to_toml(const Recipe& recipe) {
    Recipe copy = recipe;  // each_key takes what it may also fill
    const DataRecipe& data = recipe.data;
    toml::table table{{"name", recipe.name}, {"data", data.root.string()}, {"validation", data.validation}};
    if (data.split != std::array<double, 3>{})
        table.insert("split", toml::array{data.split[0], data.split[1], data.split[2]});
    if (!data.classes.empty()) {
        toml::array classes;
        for (const std::string& name : data.classes) classes.push_back(name);
        table.insert("classes", std::move(classes));
    }
    if (recipe.network.empty()) table.insert("backbone", recipe.backbone.string());
    else table.insert("network", recipe.network);
    const auto add = [&](const char* name, auto& section) {
        toml::table inner;
        each_key(section, Write(inner));
        table.insert(name, std::move(inner));
    };
    if (copy.train) {
        add("train", *copy.train);
        add("augment", copy.augment);
    } else {
        add("head", copy.head);
    }
    std::ostringstream text;
    text << table << "\n";
    return text.str();
}

}  // namespace ouaf
