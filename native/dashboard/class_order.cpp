// See class_order.hpp.
#include "native/dashboard/class_order.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace ouaf::dashboard {
namespace {

bool holds(std::string_view text, std::string_view part) {
    const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

std::vector<std::size_t> filtered(const Mistakes& mistakes, std::string_view filter) {
    const std::size_t classes = mistakes.classes.size();
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < classes; ++i) {
        bool keeps = holds(mistakes.classes[i], filter);
        for (std::size_t j = 0; j < classes && !keeps; ++j)
            keeps = holds(mistakes.classes[j], filter) && (mistakes.count(i, j) > 0 || mistakes.count(j, i) > 0);
        if (keeps) kept.push_back(i);
    }
    return kept;
}

void sort_by_confusion(const Mistakes& mistakes, std::vector<std::size_t>& classes) {
    std::vector<std::size_t> wrong(mistakes.classes.size());
    for (const ConfusedPair& pair : mistakes.pairs) {
        const std::size_t times = pair.first_as_second + pair.second_as_first;
        wrong[pair.first] += times;
        wrong[pair.second] += times;
    }
    std::stable_sort(classes.begin(), classes.end(), [&](std::size_t a, std::size_t b) { return wrong[a] > wrong[b]; });
}

// Every class begins as a chain of its own; each pair, the most confused first, joins the chains that it is in, turned
// so that the two come as near to each other as their chains allow.
void sort_by_cluster(const Mistakes& mistakes, std::vector<std::size_t>& classes) {
    using Chain = std::vector<std::size_t>;
    std::vector<Chain> chains(mistakes.classes.size());
    std::vector<std::size_t> chain_of(mistakes.classes.size(), mistakes.classes.size());
    for (const std::size_t label : classes) {
        chains[label] = {label};
        chain_of[label] = label;
    }
    for (const ConfusedPair& pair : mistakes.pairs) {
        const std::size_t a = chain_of[pair.first];
        const std::size_t b = chain_of[pair.second];
        if (a == b || a == chains.size() || b == chains.size()) continue;
        const auto from_end = [](const Chain& chain, std::size_t label) {
            return static_cast<std::size_t>(chain.end() - std::find(chain.begin(), chain.end(), label)) - 1;
        };
        const std::size_t left = from_end(chains[a], pair.first);
        if (left > chains[a].size() - 1 - left) std::reverse(chains[a].begin(), chains[a].end());
        const std::size_t right = from_end(chains[b], pair.second);
        if (right < chains[b].size() - 1 - right) std::reverse(chains[b].begin(), chains[b].end());
        for (const std::size_t label : chains[b]) chain_of[label] = a;
        chains[a].insert(chains[a].end(), chains[b].begin(), chains[b].end());
        chains[b].clear();
    }
    std::stable_sort(chains.begin(), chains.end(), [](const Chain& a, const Chain& b) { return a.size() > b.size(); });
    classes.clear();
    for (const Chain& chain : chains) classes.insert(classes.end(), chain.begin(), chain.end());
}

}  // namespace

std::vector<std::size_t> order_classes(const Mistakes& mistakes, ClassOrder order, std::string_view filter) {
    std::vector<std::size_t> classes = filtered(mistakes, filter);
    switch (order) {
        case ClassOrder::name:
            std::stable_sort(classes.begin(), classes.end(),
                             [&](std::size_t a, std::size_t b) { return mistakes.classes[a] < mistakes.classes[b]; });
            break;
        case ClassOrder::confusion: sort_by_confusion(mistakes, classes); break;
        case ClassOrder::cluster: sort_by_cluster(mistakes, classes); break;
    }
    return classes;
}

}  // namespace ouaf::dashboard
