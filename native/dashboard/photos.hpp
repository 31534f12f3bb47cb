// Photos as textures: decoded on a background thread, kept while they are looked at.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "native/dashboard/background.hpp"

namespace ouaf::dashboard {

// Pixels on the graphics card. A context of OpenGL is current.
class Texture {
 public:
    Texture(int width, int height, const std::uint8_t* rgb);
    ~Texture();
    Texture(Texture&& other) noexcept;
    Texture& operator=(Texture&& other) noexcept;

    ImTextureID id() const { return name_; }
    int width() const { return width_; }
    int height() const { return height_; }

 private:
    unsigned name_ = 0;
    int width_ = 0;
    int height_ = 0;
};

class Photos {
 public:
    explicit Photos(std::function<void()> wake) : loader_(std::move(wake)) {}

    // The photo with a short side of so many pixels or somewhat more; null until it was read, and where it can't be.
    const Texture* find(const std::filesystem::path& path, int side);

    // Why it can't be shown; empty where it can, or where that is not known yet.
    const std::string& fault(const std::filesystem::path& path, int side) const;

    // Once a frame: takes what was decoded, and forgets what was not asked for in a while.
    bool collect();
    bool idle() const { return loader_.idle(); }

 private:
    struct Entry {
        std::vector<Texture> texture;  // none or one
        std::string fault;
        bool asked = false;
        std::uint64_t used = 0;  // the frame
    };
    using Key = std::pair<std::filesystem::path, int>;

    std::map<Key, Entry> entries_;
    std::uint64_t frame_ = 0;
    Background loader_;  // last: its thread ends before what it would put its pictures into
};

// A square of the window with the photo in it, cut to its middle, as a button; what stands there while it loads or
// where it is gone. Says whether it was clicked.
bool photo_button(Photos& photos, const std::filesystem::path& path, float side);

}  // namespace ouaf::dashboard
