// The few calls of OpenGL that both surfaces share. A context is current.
#pragma once

#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {

// Draws what ImGui::Render() made.
void draw_gl_frame(int width, int height);

// buffer: GL_FRONT or GL_BACK.
Pixels read_gl_pixels(int width, int height, unsigned buffer);

}  // namespace ouaf::dashboard
