// See partition.hpp.
#include "native/data/partition.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <utility>

#include "native/data/photo_list.hpp"
#include "native/files/csv.hpp"
#include "native/files/files.hpp"
#include "native/files/fnv1a.hpp"

namespace ouaf {
namespace {

using Places = std::vector<std::size_t>;  // indices of photos

// Levenshtein's distance, in O(|a| |b|).
std::size_t edits_between(std::string_view a, std::string_view b) {
    Places row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(c)); });
    return text;
}

// How far a class is from what somebody wrote for it; 0 where its name holds that.
std::size_t distance(const DatasetClass& c, const std::string& written) {
    std::size_t least = written.size();
    for (const std::string& text : {lower(c.folder), lower(c.id), lower(c.name)})
        least = std::min(least, text.find(written) != std::string::npos ? 0 : edits_between(written, text));
    return least;
}

std::string near_ones(const std::vector<DatasetClass>& classes, const std::string& written) {
    constexpr std::size_t shown = 3;
    std::vector<std::pair<std::size_t, const DatasetClass*>> ranked;
    for (const DatasetClass& c : classes) ranked.emplace_back(distance(c, lower(written)), &c);
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string text;
    for (const auto& [edits, c] : std::span(ranked).first(std::min(shown, ranked.size())))
        text.append(text.empty() ? "'" : ", '").append(c->name + "'");
    return text;
}

// The photos of the classes that are asked for, labelled anew.
DividedDataset chosen(DividedDataset data, const std::vector<std::string>& wanted) {
    if (wanted.empty()) return data;
    const auto is = [](const DatasetClass& c, const std::string& text) {
        return c.folder == text || c.id == text || c.name == text;
    };
    std::string unknown;
    for (const std::string& text : wanted) {
        const auto named = [&](const DatasetClass& c) { return is(c, text); };
        if (std::none_of(data.all.classes.begin(), data.all.classes.end(), named))
            unknown += (unknown.empty() ? "'" : "; '") + text + "' is no class of it, near ones are " +
                       near_ones(data.all.classes, text);
    }
    if (!unknown.empty()) throw std::runtime_error(data.all.root.string() + ": " + unknown);

    DividedDataset result{{data.all.root, {}, {}}, {}};
    std::vector<std::optional<std::size_t>> labels;
    for (const DatasetClass& c : data.all.classes) {
        const bool taken = std::any_of(wanted.begin(), wanted.end(), [&](const auto& text) { return is(c, text); });
        labels.push_back(taken ? std::optional(result.all.classes.size()) : std::nullopt);
        if (taken) result.all.classes.push_back(c);
    }
    for (std::size_t i = 0; i < data.all.samples.size(); ++i) {
        Sample& sample = data.all.samples[i];
        if (!labels[sample.label]) continue;
        result.all.samples.push_back({std::move(sample.path), *labels[sample.label]});
        if (!data.splits.empty()) result.splits.push_back(data.splits[i]);
    }
    return result;
}

DividedDataset by_path(const DividedDataset& data) {
    Places order(data.all.samples.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return data.all.samples[a].path.native() < data.all.samples[b].path.native();
    });
    DividedDataset sorted{{data.all.root, data.all.classes, {}}, {}};
    for (const std::size_t place : order) {
        sorted.all.samples.push_back(data.all.samples[place]);
        if (!data.splits.empty()) sorted.splits.push_back(data.splits[place]);
    }
    return sorted;
}

std::vector<Places> places_by_class(const Dataset& data) {
    std::vector<Places> places(data.classes.size());
    for (std::size_t i = 0; i < data.samples.size(); ++i) places[data.samples[i].label].push_back(i);
    return places;
}

// Shuffled as the seed and the class say: the C++ standard fixes what mt19937_64 gives, and not what std::shuffle
// makes of it. The remainder prefers small numbers by less than one in 2^40.
void shuffle(Places& places, const DatasetClass& c, std::uint64_t seed) {
    std::mt19937_64 generator(seed ^ fnv1a(c.folder));
    for (std::size_t left = places.size(); left > 1; --left) std::swap(places[left - 1], places[generator() % left]);
}

// Of n photos, those that a share of them makes up.
std::size_t count_of(double share, std::size_t n) {
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(n)));
}

// Cuts at the rounded sums of the shares, so that no rounding adds up; a class keeps one photo to train on at least.
std::vector<Split> cut(const Dataset& data, const DataRecipe& recipe) {
    std::vector<Split> splits(data.samples.size(), Split::test);
    std::vector<Places> places = places_by_class(data);
    for (std::size_t c = 0; c < places.size(); ++c) {
        shuffle(places[c], data.classes[c], recipe.seed);
        const std::size_t n = places[c].size();
        const std::size_t train = std::max<std::size_t>(count_of(recipe.split[0], n), 1);
        const std::size_t validation = std::min(count_of(recipe.split[0] + recipe.split[1], n), n);
        for (std::size_t i = 0; i < std::max(train, validation); ++i)
            splits[places[c][i]] = i < train ? Split::train : Split::validation;
    }
    return splits;
}

std::vector<Split> every_fifth_is_test(const Dataset& data) {
    std::vector<Split> splits(data.samples.size(), Split::train);
    for (const Places& places : places_by_class(data))
        for (std::size_t i = 4; i < places.size(); i += 5) splits[places[i]] = Split::test;
    return splits;
}

void set_validation_apart(DividedDataset& data, const DataRecipe& recipe) {
    std::vector<Places> places = places_by_class(data.all);
    for (std::size_t c = 0; c < places.size(); ++c) {
        std::erase_if(places[c], [&](std::size_t place) { return data.splits[place] != Split::train; });
        shuffle(places[c], data.all.classes[c], recipe.seed);
        for (std::size_t i = 0; i < count_of(recipe.validation, places[c].size()); ++i)
            data.splits[places[c][i]] = Split::validation;
    }
}

void refuse_untrained_classes(const Dataset& train) {
    std::vector<Places> places = places_by_class(train);
    for (std::size_t c = 0; c < places.size(); ++c) {
        if (places[c].empty())
            throw std::runtime_error(train.root.string() + ": the class '" + train.classes[c].folder +
                                     "' has no photo to train on; add some, or choose other classes with 'classes'");
    }
}

}  // namespace

Partition open_partition(const DataRecipe& recipe) {
    DividedDataset data = by_path(chosen(open_dataset(recipe.root), recipe.classes));
    if (recipe.split != std::array<double, 3>{}) {
        data.splits = cut(data.all, recipe);
    } else {
        if (data.splits.empty()) data.splits = every_fifth_is_test(data.all);
        if (std::find(data.splits.begin(), data.splits.end(), Split::validation) == data.splits.end())
            set_validation_apart(data, recipe);
    }
    Partition parts{part_of(data, Split::train), part_of(data, Split::validation), part_of(data, Split::test)};
    refuse_untrained_classes(parts.train);
    return parts;
}

void write_partition(const std::filesystem::path& list, const Partition& partition) {
    const std::string base = (std::filesystem::absolute(list).parent_path() / "").string();
    std::string text = "file,class,split\n";
    const auto add = [&](const Dataset& part, Split split) {
        for (const Sample& sample : part.samples) {
            std::string path = std::filesystem::absolute(sample.path).string();
            if (path.starts_with(base)) path.erase(0, base.size());
            text += csv_field(path) + "," + csv_field(part.classes[sample.label].folder) + "," +
                    std::string(name_of(split)) + "\n";
        }
    };
    add(partition.train, Split::train);
    add(partition.validation, Split::validation);
    add(partition.test, Split::test);
    write_text(list, text);
}

}  // namespace ouaf
