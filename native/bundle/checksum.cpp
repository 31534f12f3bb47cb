// SHA-256 through OpenSSL.
#include "native/bundle/checksum.hpp"

#include <openssl/sha.h>

#include <array>

namespace ouaf {

std::string sha256(std::span<const std::uint8_t> bytes) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256(bytes.data(), bytes.size(), digest.data());
    std::string text;
    for (const std::uint8_t byte : digest) {
        constexpr auto digits = "0123456789abcdef";
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace ouaf
