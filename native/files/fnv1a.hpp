// A hash that is the same on every machine and in every release: names of folders and seeds follow from it.
#pragma once

#include <cstdint>
#include <string_view>

namespace ouaf {

// FNV-1a, 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/
constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return hash;
}

}  // namespace ouaf
