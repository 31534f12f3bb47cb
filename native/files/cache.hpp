// Where what can be made anew is kept between runs.
#pragma once

#include <filesystem>

namespace ouaf {

// $OUAF_CACHE, or "ouaf" in the user's cache folder. Throws std::runtime_error where neither can be told.
std::filesystem::path cache_folder();

}  // namespace ouaf
