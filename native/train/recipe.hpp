// What a run does, as a TOML file says it.
#pragma once

#include <filesystem>
#include <string>

namespace ouaf {

struct HeadRecipe {
    int iterations = 100;          // of L-BFGS at most; 0 keeps the head as it starts
    double pull_to_start = 0.005;  // L2 towards the starting rows, of classes that the backbone knows
    double weight_decay = 0.0002;  // L2 towards 0, of classes that it doesn't know
};

struct Recipe {
    std::string name;                // of the run and of its bundle
    std::filesystem::path backbone;  // a bundle folder
    std::filesystem::path data;      // see open_dataset
    HeadRecipe head;
};

// Paths in a recipe are relative to the folder that ouaf is started in. Throws std::runtime_error "path: cause" for
// what is no TOML, for an unknown key (with the known ones), for a value of the wrong type or out of range.
Recipe read_recipe(const std::filesystem::path& path);

std::string to_toml(const Recipe& recipe);

}  // namespace ouaf
