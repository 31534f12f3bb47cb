// SHA-256, as model.json records it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ouaf {

// Lower-case hexadecimal, 64 digits.
std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace ouaf
