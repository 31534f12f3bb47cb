// Files through POSIX calls, for their error codes and fsync.
#include "native/files/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace ouaf {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    throw std::runtime_error(path.string() + ": " + std::strerror(errno) +
                             (full ? "; what was there before is whole: make room and try again" : ""));
}

// A file descriptor, closed at the end of its scope.
class File {
 public:
    File(const std::filesystem::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
        if (descriptor_ < 0) fail(path);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(descriptor_); }
    int get() const { return descriptor_; }

 private:
    int descriptor_;
};

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
    const File file(path, O_RDONLY);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail(path);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
    std::size_t filled = 0;
    for (;;) {  // a pipe has no size: it is read until it ends
        if (filled == bytes.size()) bytes.resize(bytes.size() + (status.st_size > 0 ? 1 : 1 << 16));
        const ::ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
        if (count < 0) fail(path);
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
}

std::string read_text(const std::filesystem::path& path) {
    const std::vector<std::uint8_t> bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
    const std::filesystem::path unfinished = path.string() + ".unfinished";
    {
        const File file(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
        const auto give_up = [&] {
            const int cause = errno;
            std::error_code ignored;
            std::filesystem::remove(unfinished, ignored);
            errno = cause;
            fail(path);
        };
        while (!bytes.empty()) {
            const ::ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
            if (count < 0) give_up();
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        if (::fsync(file.get()) != 0) give_up();
    }
    std::filesystem::rename(unfinished, path);
}

void write_text(const std::filesystem::path& path, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    write_file(path, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace ouaf
