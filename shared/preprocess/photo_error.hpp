// What can be wrong with a photo, as a kind for programs and a message for the person who chose the file.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace ouaf {

enum class PhotoErrorKind {
    empty,         // no bytes, or a picture without pixels
    not_an_image,  // the bytes are of no picture format
    unsupported,   // a picture format, or a variant of one, that is not read
    truncated,     // the file ends before the picture does
    damaged,       // the bytes contradict themselves
    too_large,     // more pixels than max_pixels
    out_of_memory,
};

constexpr std::string_view name_of(PhotoErrorKind kind) {
    switch (kind) {
        case PhotoErrorKind::empty: return "empty";
        case PhotoErrorKind::not_an_image: return "not_an_image";
        case PhotoErrorKind::unsupported: return "unsupported";
        case PhotoErrorKind::truncated: return "truncated";
        case PhotoErrorKind::damaged: return "damaged";
        case PhotoErrorKind::too_large: return "too_large";
        case PhotoErrorKind::out_of_memory: return "out_of_memory";
    }
    return "damaged";
}

class PhotoError : public std::runtime_error {
 public:
    PhotoError(PhotoErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    PhotoErrorKind kind() const { return kind_; }

 private:
    PhotoErrorKind kind_;
};

}  // namespace ouaf
