// When frames are drawn: at the screen's rate while the user does something, seldom while nothing happens.
#pragma once

#include <functional>

#include "native/dashboard/app.hpp"

namespace ouaf::dashboard {

// Draws `content` between the surface's begin and end.
void draw_once(Surface& surface, const std::function<void()>& content);

// Draws the dashboard until `ended` says so, which is asked before each frame.
void draw_until(App& app, const std::function<bool()>& ended);

}  // namespace ouaf::dashboard
