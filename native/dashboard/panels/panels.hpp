// The panels, one file each.
#pragma once

#include <memory>
#include <vector>

#include "native/dashboard/app.hpp"

namespace ouaf::dashboard {

std::unique_ptr<Panel> make_curves();
std::unique_ptr<Panel> make_data();
std::unique_ptr<Panel> make_export();
std::unique_ptr<Panel> make_mistakes();
std::unique_ptr<Panel> make_run_control();
std::unique_ptr<Panel> make_runs();
std::unique_ptr<Panel> make_throughput();
std::unique_ptr<Panel> make_try_photo();
std::unique_ptr<Panel> make_tuning();

// All of them, in the order of their tabs.
std::vector<std::unique_ptr<Panel>> make_panels();

}  // namespace ouaf::dashboard
