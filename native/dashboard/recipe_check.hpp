// A recipe with changed keys, before a run is started with it.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ouaf::dashboard {

// Of recipes/, what a first run is offered: minutes on two cores.
inline constexpr std::string_view demo_recipe = "dogs_head.toml";

struct RecipeCheck {
    std::string error;  // what read_recipe says; empty where the recipe is right
    std::string name;
    std::map<std::string, std::string> keys;  // all, resolved, as TOML values without quotes
    std::filesystem::path folder;             // below the runs' folder, that no run has yet
};

// Reads files. `overrides` as read_recipe takes them.
RecipeCheck check_recipe(const std::filesystem::path& path, std::span<const std::string> overrides,
                         const std::filesystem::path& runs_folder);

// The files *.toml beside each other in `folder`, by name.
std::vector<std::filesystem::path> find_recipes(const std::filesystem::path& folder);

// What a key means, in a sentence; "" for one that is not known here.
const char* explain_key(const std::string& key);

}  // namespace ouaf::dashboard
