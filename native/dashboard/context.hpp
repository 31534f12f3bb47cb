// ImGui's and ImPlot's own state, for as long as there is something to draw on.
#pragma once

#include <filesystem>
#include <string>

namespace ouaf::dashboard {

class Context {
 public:
    // settings: where the layout is kept between starts; empty: nowhere.
    explicit Context(const std::filesystem::path& settings);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

 private:
    std::string settings_;  // ImGui keeps the pointer
};

// $XDG_CONFIG_HOME/ouaf/dashboard.ini, or below ~/.config. The folder is made.
std::filesystem::path settings_file();

}  // namespace ouaf::dashboard
