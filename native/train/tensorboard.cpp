// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding) by hand: LibTorch brings
// protobuf's headers of one version along and onnx those of another, and of both this file wants nothing.
#include "native/train/tensorboard.hpp"

#include <array>
#include <bit>
#include <stdexcept>

namespace ouaf {
namespace {

// CRC-32C (Castagnoli), reflected, as iSCSI has it (RFC 3720, B.4).
constexpr std::array<std::uint32_t, 256> make_crc_table() {
    constexpr std::uint32_t polynomial = 0x82F63B78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
        table[byte] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

// Masked as TFRecord has it, so that a checksum of data that hold checksums stays a good one.
std::uint32_t masked_crc(std::string_view data) {
    std::uint32_t crc = ~std::uint32_t{0};
    for (const char c : data) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
    return std::rotr(~crc, 15) + 0xA282EAD8;
}

template <class Integer>
void put_little_endian(std::string& out, Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

enum class Wire : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
    out += static_cast<char>(value);
}

void put_key(std::string& out, std::uint64_t field, Wire wire) {
    put_varint(out, field << 3 | static_cast<std::uint64_t>(wire));
}

void put_bytes(std::string& out, std::uint64_t field, std::string_view bytes) {
    put_key(out, field, Wire::bytes);
    put_varint(out, bytes.size());
    out += bytes;
}

void put_double(std::string& out, std::uint64_t field, double value) {
    put_key(out, field, Wire::fixed64);
    put_little_endian(out, std::bit_cast<std::uint64_t>(value));
}

void put_float(std::string& out, std::uint64_t field, float value) {
    put_key(out, field, Wire::fixed32);
    put_little_endian(out, std::bit_cast<std::uint32_t>(value));
}

}  // namespace

std::string tf_record(std::string_view data) {
    std::string record;
    put_little_endian(record, std::uint64_t{data.size()});
    put_little_endian(record, masked_crc(record));
    record += data;
    put_little_endian(record, masked_crc(data));
    return record;
}

EventFile::EventFile(std::filesystem::path path, double time)
    : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
    std::string event;
    put_double(event, 1, time);
    put_bytes(event, 3, "brain.Event:2");  // the version of the format
    write(event);
    std::string start;
    put_key(start, 1, Wire::varint);
    put_varint(start, 1);
    event.clear();
    put_double(event, 1, time);
    put_bytes(event, 7, start);
    write(event);
}

void EventFile::add(const ScalarEvent& scalars) {
    std::string summary;
    for (const auto& [tag, number] : scalars.scalars) {
        std::string value;
        put_bytes(value, 1, tag);
        put_float(value, 2, static_cast<float>(number));
        put_bytes(summary, 1, value);
    }
    std::string event;
    put_double(event, 1, scalars.time);
    put_key(event, 2, Wire::varint);
    put_varint(event, static_cast<std::uint64_t>(scalars.step));
    put_bytes(event, 5, summary);
    write(event);
}

void EventFile::write(std::string_view event) {
    file_ << tf_record(event) << std::flush;
    if (!file_) throw std::runtime_error(path_.string() + ": can't be written; is the disk full?");
}

}  // namespace ouaf
