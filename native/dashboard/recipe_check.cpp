// See recipe_check.hpp.
#include "native/dashboard/recipe_check.hpp"

#include <algorithm>
#include <exception>

#include "native/train/recipe.hpp"
#include "native/train/run_summary.hpp"

namespace ouaf::dashboard {

RecipeCheck check_recipe(const std::filesystem::path& path, std::span<const std::string> overrides,
                         const std::filesystem::path& runs_folder) {
    RecipeCheck check;
    try {
        const Recipe recipe = read_recipe(path, overrides);
        check.name = recipe.name;
        check.keys = toml_keys(to_toml(recipe));
        check.folder = runs_folder / recipe.name;
        for (int next = 2; std::filesystem::exists(check.folder); ++next)
            check.folder = runs_folder / (recipe.name + "_" + std::to_string(next));
    } catch (const std::exception& error) {
        check.error = error.what();
    }
    return check;
}

std::vector<std::filesystem::path> find_recipes(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> recipes;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().extension() == ".toml") recipes.push_back(entry.path());
    std::sort(recipes.begin(), recipes.end());
    return recipes;
}

}  // namespace ouaf::dashboard
