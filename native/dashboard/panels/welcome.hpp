// What stands in place of the curves while no run is open: what the dashboard is for, and the demo recipe.
#pragma once

#include "native/dashboard/app.hpp"

namespace ouaf::dashboard {

void draw_welcome(App& app);

}  // namespace ouaf::dashboard
