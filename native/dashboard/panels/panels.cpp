// See panels.hpp.
#include "native/dashboard/panels/panels.hpp"

namespace ouaf::dashboard {

std::vector<std::unique_ptr<Panel>> make_panels() {
    std::vector<std::unique_ptr<Panel>> panels;
    panels.push_back(make_runs());
    panels.push_back(make_curves());
    return panels;
}

}  // namespace ouaf::dashboard
