// One frame of the dashboard: menus, docked panels, what stands above them.
#pragma once

#include "native/dashboard/app.hpp"

namespace ouaf::dashboard {

// Between begin_frame() and end_frame() of the surface.
void draw_frame(App& app);

// One panel over the whole surface, for its picture.
void draw_alone(App& app, Panel& panel);

}  // namespace ouaf::dashboard
