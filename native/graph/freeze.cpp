// See freeze.hpp.
#include "native/graph/freeze.hpp"

#include <fnmatch.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace ouaf::graph {

namespace {

std::size_t common_prefix(const std::string& a, const std::string& b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

[[noreturn]] void refuse(const Network& network, const std::string& pattern) {
    constexpr std::size_t most = 3;
    std::vector<std::string> names;
    for (const Parameter& parameter : network.parameters()) names.push_back(parameter.name);
    std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
        return common_prefix(a, pattern) > common_prefix(b, pattern);
    });
    std::string list;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i) list += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most) list += " and " + std::to_string(names.size() - most) + " more";
    throw std::runtime_error("parameters: none matches '" + pattern + "'; there " +
                             (names.empty() ? "are none" : "are " + list));
}

void set_trained(Network& network, const std::string& pattern, bool trained) {
    bool found = false;
    for (Parameter& parameter : network.parameters()) {
        if (fnmatch(pattern.c_str(), parameter.name.c_str(), FNM_NOESCAPE) != 0) continue;
        parameter.tensor.requires_grad_(trained);
        found = true;
    }
    if (!found) refuse(network, pattern);
}

}  // namespace

void freeze(Network& network, const std::string& pattern) { set_trained(network, pattern, false); }
void unfreeze(Network& network, const std::string& pattern) { set_trained(network, pattern, true); }

void train_last(Network& network, int blocks) {
    if (blocks < 0)
        throw std::runtime_error("parameters: the last " + std::to_string(blocks) +
                                 " blocks can't be trained; give 0 for the head alone, or more");
    int head = 0;
    for (const Parameter& parameter : network.parameters()) head = std::max(head, parameter.block);
    for (Parameter& parameter : network.parameters()) parameter.tensor.requires_grad_(parameter.block >= head - blocks);
}

}  // namespace ouaf::graph
