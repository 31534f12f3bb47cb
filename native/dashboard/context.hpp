// ImGui's and ImPlot's own state, for as long as there is something to draw on.
#pragma once

#include <filesystem>
#include <string>

#include "native/dashboard/style.hpp"

namespace ouaf::dashboard {

class Context {
 public:
    // settings: where the layout and the theme are kept between starts; empty: nowhere.
    explicit Context(const std::filesystem::path& settings);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    // As it was in the last start; dark where there was none.
    Theme kept_theme() const { return kept_theme_; }

 private:
    void keep_theme();

    Theme kept_theme_ = Theme::dark;
    std::string settings_;  // ImGui keeps the pointer
};

// $XDG_CONFIG_HOME/ouaf/dashboard.ini, or below ~/.config. The folder is made.
std::filesystem::path settings_file();

}  // namespace ouaf::dashboard
