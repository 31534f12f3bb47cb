// The panels, one file each.
#pragma once

#include <memory>
#include <vector>

#include "native/dashboard/app.hpp"

namespace ouaf::dashboard {

std::unique_ptr<Panel> make_curves();
std::unique_ptr<Panel> make_runs();

// All of them, in the order of their tabs.
std::vector<std::unique_ptr<Panel>> make_panels();

}  // namespace ouaf::dashboard
