// One photo at a glance: the square that the network sees, where it looked, and what it answered.
#pragma once

#include <filesystem>
#include <vector>

#include "native/dashboard/messages.hpp"
#include "native/dashboard/photos.hpp"

namespace ouaf::dashboard {

// The photo's middle square with the map over it, where there is one.
void draw_photo(Photos& photos, const std::filesystem::path& path, float side, const HeatMap* heat);

// A bar a class, the likeliest first. `label`: the true class, which is marked; none where it is not known.
struct Bar {
    std::string name;
    double share = 0;
    bool is_label = false;
};
void draw_bars(const std::vector<Bar>& bars);

}  // namespace ouaf::dashboard
