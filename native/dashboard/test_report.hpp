// A run's report/ as the dashboard shows it.
#pragma once

#include <filesystem>
#include <memory>

#include "native/dashboard/messages.hpp"

namespace ouaf::dashboard {

// Whether the run has one: after its test, or one that was asked for here.
bool has_test_report(const std::filesystem::path& run);

// For any thread. Throws std::runtime_error "path: cause; what to do".
std::shared_ptr<const Mistakes> read_test_report(const std::filesystem::path& run);

}  // namespace ouaf::dashboard
