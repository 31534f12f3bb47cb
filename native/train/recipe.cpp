// TOML in and out, through toml++. What keys there are, with their ranges, stands once: in the functions each_key.
#include "native/train/recipe.hpp"

#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "native/train/read_table.hpp"

namespace ouaf {
namespace {

constexpr double much = 1e9;

template <class Visit>
void each_key(NetworkOptions& options, Visit&& visit) {
    visit("dropout", options.dropout, 0, 0.95);
    visit.choice("pooling", options.pooling, pooling_names);
    visit("batch_norms", options.batch_norms, 0, 1);
}

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
    visit("size", train.size, 0, 4096);
    visit("test_size", train.test_size, 0, 4096);
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
    visit("pull_to_start", train.pull_to_start, 0, 1000);
    visit("start_share", train.start_share, 0, 1);
    visit("rounded", train.rounded, 0, 1);
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
    visit("swa", train.swa, 0, 1);
    visit("train_last", train.train_last, -1, 100'000);
    visit("stop_patience", train.stop_patience, 0, 100'000);
    visit("plateau_patience", train.plateau_patience, 0, 100'000);
    visit("plateau_factor", train.plateau_factor, 0, 1);
    visit("plateau_least", train.plateau_least, 0, 1);
    visit("bfloat16", train.bfloat16, 0, 1);
    visit("sync_batch_norms", train.sync_batch_norms, 0, 1);
    visit("float16", train.float16, 0, 1);
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
    visit("randaugment", augment.randaugment, 0, 14);
    visit("randaugment_magnitude", augment.randaugment_magnitude, 0, 30);
    visit("equalise", augment.equalise, 0, 1);
    visit("brightness", augment.brightness, 0, 10);
    visit("contrast", augment.contrast, 0, 1);
    visit("saturation", augment.saturation, 0, 1);
    visit("hue", augment.hue, 0, 0.5);
    visit("grey", augment.grey, 0, 1);
    visit("erase", augment.erase, 0, 1);
    visit("mixup", augment.mixup, 0, 100);
    visit("cutmix", augment.cutmix, 0, 100);
    visit.choice("whiten", augment.whiten, whitening_names);
    visit("zca_epsilon", augment.zca_epsilon, 0, 1);
}

template <class Visit>
void each_key(DistilRecipe& distil, Visit&& visit) {
    visit.list("teachers", distil.teachers);
    visit("weight", distil.weight, 0, 1);
    visit("temperature", distil.temperature, 0.01, 1000);
    visit("size", distil.size, 0, 4096);
}

// The numbers and switches of a recipe that stand in no table.
template <class Visit>
void each_key(Recipe& recipe, Visit&& visit) {
    visit.list("backbone", recipe.backbones);
    visit("validation", recipe.data.validation, 0, 0.9);
    visit.shares("split", recipe.data.split);
    visit.list("classes", recipe.data.classes);
    each_key(recipe.network_options, visit);
    visit("fresh_head", recipe.fresh_head, 0, 1);
    visit("stored_side", recipe.stored_side, 0, 8192);
    visit("seen_share", recipe.seen_share, 0, 1);
    visit("crop_to_box", recipe.crop_to_box, 0, 1);
    visit("unreadable", recipe.unreadable, 0, 1);
    visit("weight_bits", recipe.weight_bits, 2, 8);
}

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

    template <class T>
    void operator()(std::string_view key, const std::optional<T>& value, double low, double high) {
        if (value) (*this)(key, *value, low, high);
    }

    void shares(std::string_view key, const std::array<double, 3>& values) {
        if (values != std::array<double, 3>{}) table_->insert(key, toml::array{values[0], values[1], values[2]});
    }

    template <class Text>
    void list(std::string_view key, const std::vector<Text>& values) {
        if (values.empty()) return;
        toml::array list;
        for (const Text& value : values) list.push_back(std::filesystem::path(value).string());
        table_->insert(key, std::move(list));
    }

    template <class Choice>
    void choice(std::string_view key, Choice value, std::span<const std::string_view> names) {
        table_->insert(key, std::string(names[static_cast<std::size_t>(value)]));
    }

    template <class Choice>
    void choice(std::string_view key, const std::optional<Choice>& value, std::span<const std::string_view> names) {
        if (value) choice(key, *value, names);
    }

 private:
    toml::table* table_;
};

template <class Section>
void read_section(const std::filesystem::path& path, const toml::table* table, Section& section) {
    if (!table) return;
    ReadTable reader(path, *table, "recipe");
    each_key(section, reader);
    reader.refuse_others();
}

// Each [[stage]] over what [train] and [augment] say; those alone are one stage.
std::vector<Stage> read_stages(const std::filesystem::path& path, ReadTable& reader) {
    const toml::table* train = reader.table("train");
    Stage base;
    read_section(path, train, base.fit);
    read_section(path, reader.table("augment"), base.augment);
    std::vector<Stage> stages;
    for (const toml::table* table : reader.tables("stage")) {
        Stage stage = base;
        ReadTable keys(path, *table, "recipe");
        each_key(stage.fit, keys);
        read_section(path, keys.table("augment"), stage.augment);
        keys.refuse_others();
        stages.push_back(stage);
    }
    if (stages.empty() && train) stages.push_back(base);
    return stages;
}

void lay_over(toml::table& table, toml::table&& over);

// stage.2.epochs: keys of `over` are the places, from 1, of the [[stage]] tables.
void lay_over_stages(toml::array& stages, toml::table&& over) {
    for (auto&& [key, value] : over) {
        const std::string place(key.str());
        std::size_t number = 0;
        std::from_chars(place.data(), place.data() + place.size(), number);
        const bool there = number >= 1 && number <= stages.size() && place == std::to_string(number);
        toml::table* inner = there ? stages[number - 1].as_table() : nullptr;
        if (!inner || !value.is_table())
            throw std::runtime_error(*value.source().path + ": must be stage.PLACE.KEY; there are " +
                                     std::to_string(stages.size()) + " [[stage]]");
        lay_over(*inner, std::move(*value.as_table()));
    }
}

// Keys of `over` take the place of `table`'s, within tables too. Moved, values keep where they were read.
void lay_over(toml::table& table, toml::table&& over) {
    for (auto&& [key, value] : over) {
        toml::table* inner = table[key].as_table();
        toml::array* list = table[key].as_array();
        if (inner && value.is_table()) lay_over(*inner, std::move(*value.as_table()));
        else if (key == "stage" && list && value.is_table()) lay_over_stages(*list, std::move(*value.as_table()));
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
    toml::table table = parse_toml(path, "recipe");
    const std::string parent = ReadTable(path, table, "recipe").text("parent");
    if (parent.empty()) return table;
    table.erase("parent");
    toml::table whole = read_with_parents(path.parent_path() / parent, depth + 1);
    lay_over(whole, std::move(table));
    return whole;
}

}  // namespace

std::optional<at::ScalarType> autocast_type(const FitRecipe& recipe) {
    if (recipe.bfloat16) return at::kBFloat16;
    if (recipe.float16) return at::kHalf;
    return std::nullopt;
}

Recipe read_recipe(const std::filesystem::path& path, std::span<const std::string> overrides) {
    toml::table table = read_with_parents(path, 0);
    for (const std::string& given : overrides) lay_over(table, read_override(given));
    ReadTable reader(path, table, "recipe");
    Recipe recipe;
    recipe.name = reader.text("name");
    recipe.network = reader.text("network");
    recipe.data.root = reader.text("data");
    each_key(recipe, reader);
    read_section(path, reader.table("head"), recipe.head);
    recipe.stages = read_stages(path, reader);
    if (!recipe.stages.empty()) recipe.data.seed = recipe.stages.front().fit.seed;
    read_section(path, reader.table("distil"), recipe.distil);
    reader.refuse_others();
    for (const auto& [key, value] : {std::pair{"name", recipe.name}, std::pair{"data", recipe.data.root.string()}})
        if (value.empty()) reader.fail(key, "must be a text");
    bool rounded = false;
    for (const Stage& stage : recipe.stages) {
        if (stage.fit.bfloat16 && stage.fit.float16) reader.fail("float16", "and 'bfloat16' exclude each other");
        if (rounded && stage.fit.rounded == 0)
            reader.fail("rounded", "stays on: a stage without would take the weights from their integers again");
        rounded = stage.fit.rounded > 0;
        if (rounded && stage.fit.start_share > 0)
            reader.fail("start_share", "and 'rounded' exclude each other: a mean of weights is no integer");
    }
    if (recipe.name.find('/') != std::string::npos) reader.fail("name", "must not hold a /");
    if (recipe.backbones.empty() == recipe.network.empty())
        reader.fail("backbone", "must be a text, or 'network' in its place");
    for (const char* key : {"pooling", "batch_norms"})
        if (recipe.network.empty() && table.contains(key))
            reader.fail(key, "needs 'network': a backbone stays as it is");
    if (recipe.network.empty() && recipe.network_options.dropout && recipe.stages.empty())
        reader.fail("dropout", "needs [train]: a head alone is fitted without it");
    if (recipe.crop_to_box && recipe.stages.empty())
        reader.fail("crop_to_box", "needs [train]: a head alone is fitted on whole photos");
    if (recipe.fresh_head && recipe.stages.empty())
        reader.fail("fresh_head", "needs [train]: a head alone begins from the rows that the backbone has");
    if (!recipe.network.empty() && recipe.stages.empty())
        reader.fail("train", "must be a table: 'network' begins from nothing");
    if (recipe.backbones.size() > 1 && recipe.stages.empty())
        reader.fail("backbone", "of several needs [train]: a head alone is fitted on the features of one");
    return recipe;
}

std::string to_toml(const Recipe& recipe) {
    Recipe copy = recipe;  // each_key takes what it may also fill
    toml::table table{{"name", recipe.name}, {"data", recipe.data.root.string()}};
    each_key(copy, Write(table));
    if (!recipe.network.empty()) table.insert("network", recipe.network);
    const auto written = [](auto& section) {
        toml::table inner;
        each_key(section, Write(inner));
        return inner;
    };
    if (copy.stages.empty()) table.insert("head", written(copy.head));
    if (copy.stages.size() == 1) {
        table.insert("train", written(copy.stages[0].fit));
        table.insert("augment", written(copy.stages[0].augment));
    } else if (!copy.stages.empty()) {
        toml::array stages;
        for (Stage& stage : copy.stages) {
            toml::table inner = written(stage.fit);
            inner.insert("augment", written(stage.augment));
            stages.push_back(std::move(inner));
        }
        table.insert("stage", std::move(stages));
    }
    if (!copy.distil.teachers.empty()) table.insert("distil", written(copy.distil));
    std::ostringstream text;
    text << table << "\n";
    return text.str();
}

}  // namespace ouaf
