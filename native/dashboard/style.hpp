// Colours, spaces and the font.
#pragma once

#include <imgui.h>

#include <cstddef>

namespace ouaf::dashboard {

enum class Theme { dark, light };

// Once for a context of ImGui.
void add_font();

// scale: of the screen, 1 at 96 dots an inch.
void apply_style(Theme theme, float scale);
Theme applied_theme();

// Colours that keep apart on both themes, also for eyes that mix up red and green (Okabe & Ito 2008).
ImVec4 series_colour(std::size_t place);
std::size_t series_colours();

// Of text: what went well, what to look at, what is wrong, and what matters less.
ImVec4 good_colour();
ImVec4 warning_colour();
ImVec4 bad_colour();
ImVec4 faint_colour();

// Stronger as `share` goes from 0 to 1: for the cells of a matrix.
ImVec4 heat_colour(float share);

ImVec4 with_alpha(ImVec4 colour, float alpha);

// Centred in what is left of the window, wrapped: what a panel says while it has nothing to show. Returns where its
// lines begin, for what stands below.
float empty_state(const char* title, const char* explanation);

// Text that a table or a form shows less of.
void faint_text(const char* text);

// The mark (?) with an explanation on hovering.
void help_mark(const char* explanation);

// A length that grows with the text: so many times its height.
float em(float times);

}  // namespace ouaf::dashboard
