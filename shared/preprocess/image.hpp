// A decoded picture: 8-bit RGB, rows from top to bottom, no padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ouaf {

struct Image {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb;  // height * width * 3

    Image() = default;
    Image(int w, int h) : width(w), height(h), rgb(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3) {}

    std::uint8_t* row(int y) { return rgb.data() + offset(y); }
    const std::uint8_t* row(int y) const { return rgb.data() + offset(y); }

 private:
    std::size_t offset(int y) const { return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3; }
};

}  // namespace ouaf
