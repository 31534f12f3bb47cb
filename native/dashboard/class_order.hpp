// The order of a confusion matrix's rows and columns.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "native/dashboard/messages.hpp"

namespace ouaf::dashboard {

enum class ClassOrder { name, confusion, cluster };

// The classes whose names have `filter` in them, and those that they are confused with; all where it is empty. By
// name; by confusion: the ones with the most mistakes, made and received, first; by cluster: classes that are confused
// with each other side by side, joined from the most confused pair to the least.
std::vector<std::size_t> order_classes(const Mistakes& mistakes, ClassOrder order, std::string_view filter);

}  // namespace ouaf::dashboard
