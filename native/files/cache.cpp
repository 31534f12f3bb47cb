// See cache.hpp.
#include "native/files/cache.hpp"

#include <cstdlib>
#include <stdexcept>

namespace ouaf {

std::filesystem::path cache_folder() {
    const auto of = [](const char* name) {
        const char* value = std::getenv(name);
        return std::filesystem::path(value ? value : "");
    };
    if (!of("OUAF_CACHE").empty()) return of("OUAF_CACHE");
    if (!of("XDG_CACHE_HOME").empty()) return of("XDG_CACHE_HOME") / "ouaf";
    if (of("HOME").empty())
        throw std::runtime_error("HOME: is not set; say by OUAF_CACHE where photos and answers are kept");
    return of("HOME") / ".cache" / "ouaf";
}

}  // namespace ouaf
