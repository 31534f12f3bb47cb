// See panels.hpp.
#include "native/dashboard/panels/panels.hpp"

namespace ouaf::dashboard {

std::vector<std::unique_ptr<Panel>> make_panels() {
    std::vector<std::unique_ptr<Panel>> panels;
    panels.push_back(make_runs());
    panels.push_back(make_run_control());
    panels.push_back(make_curves());
    panels.push_back(make_mistakes());
    panels.push_back(make_data());
    panels.push_back(make_tuning());
    panels.push_back(make_throughput());
    panels.push_back(make_try_photo());
    panels.push_back(make_export());
    return panels;
}

}  // namespace ouaf::dashboard
