// The frame of a TFRecord. What is inside is read by TensorBoard itself, in tests/cli/test_runs.py.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "native/train/tensorboard.hpp"

using namespace ouaf;

TEST_CASE("a TFRecord's frame and its checksums", "[tensorboard]") {
    // CRC-32C of "123456789" is 0xE3069283, the check value of every catalogue of CRCs; of 32 zero bytes 0x8A9136AA
    // (RFC 3720, B.4). Masked: rotated right by 15, plus 0xA282EAD8.
    for (const auto& [data, crc] :
         {std::pair{std::string("123456789"), 0xE3069283U}, {std::string(32, '\0'), 0x8A9136AAU}}) {
        const std::string record = tf_record(data);
        REQUIRE(record.size() == 8 + 4 + data.size() + 4);
        CHECK(record.substr(12, data.size()) == data);
        const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
        for (std::size_t i = 0; i < 8; ++i) CHECK(static_cast<unsigned char>(record[i]) == (i == 0 ? data.size() : 0));
        for (std::size_t i = 0; i < 4; ++i)
            CHECK(static_cast<unsigned char>(record[12 + data.size() + i]) == ((masked >> (8 * i)) & 0xFF));
    }
}
