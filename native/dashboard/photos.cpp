// See photos.hpp.
#include "native/dashboard/photos.hpp"

#include <GL/gl.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "native/dashboard/style.hpp"
#include "native/files/files.hpp"
#include "shared/preprocess/preprocess.hpp"

namespace ouaf::dashboard {
namespace {

Image shrunk(const std::filesystem::path& path, int side) {
    const DecodedPhoto photo = decode(read_file(path), side);
    const Image& image = photo.image;
    const int shorter = std::min(image.width, image.height);
    if (shorter <= side) return image;
    const int width = std::max(1, image.width * side / shorter);
    const int height = std::max(1, image.height * side / shorter);
    return resize(image, width, height, Filter::area, {0, 0, width, height});
}

}  // namespace

Texture::Texture(int width, int height, const std::uint8_t* rgb) : width_(width), height_(height) {
    glGenTextures(1, &name_);
    glBindTexture(GL_TEXTURE_2D, name_);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, width, height, 0, GL_RGB, GL_UNSIGNED_BYTE, rgb);
}

Texture::~Texture() {
    if (name_ != 0) glDeleteTextures(1, &name_);
}

Texture::Texture(Texture&& other) noexcept
    : name_(std::exchange(other.name_, 0)), width_(other.width_), height_(other.height_) {}

Texture& Texture::operator=(Texture&& other) noexcept {
    std::swap(name_, other.name_);
    width_ = other.width_;
    height_ = other.height_;
    return *this;
}

const Texture* Photos::find(const std::filesystem::path& path, int side) {
    const Key key{path, side};
    Entry& entry = entries_[key];
    entry.used = frame_;
    if (!std::exchange(entry.asked, true)) {
        loader_.add(
            [this, key] {
                auto image = std::make_shared<Image>();
                std::string fault;
                try {
                    if (!std::filesystem::exists(key.first)) fault = "deleted";
                    else *image = shrunk(key.first, key.second);
                } catch (const std::exception& error) {
                    fault = error.what();
                }
                return [this, key, image, fault] {
                    const auto found = entries_.find(key);
                    if (found == entries_.end()) return;  // out of sight by now
                    found->second.fault = fault;
                    if (fault.empty())
                        found->second.texture.emplace_back(image->width, image->height, image->rgb.data());
                };
            },
            true);
    }
    return entry.texture.empty() ? nullptr : &entry.texture.front();
}

const std::string& Photos::fault(const std::filesystem::path& path, int side) const {
    static const std::string none;
    const auto found = entries_.find({path, side});
    return found == entries_.end() ? none : found->second.fault;
}

bool Photos::collect() {
    const bool came = loader_.collect();
    ++frame_;
    constexpr std::size_t most = 500;  // a texture of 192 x 256 is 150 KB
    if (entries_.size() > most)
        std::erase_if(entries_, [this](const auto& item) { return item.second.used + 600 < frame_; });
    return came;
}

bool photo_button(Photos& photos, const std::filesystem::path& path, float side) {
    constexpr int pixels = 192;
    const ImVec2 corner = ImGui::GetCursorScreenPos();
    const ImVec2 end{corner.x + side, corner.y + side};
    ImGui::PushID(path.c_str());
    const bool clicked = ImGui::InvisibleButton("photo", {side, side});
    const bool hovered = ImGui::IsItemHovered();
    ImGui::PopID();
    if (!ImGui::IsItemVisible()) return clicked;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (const Texture* texture = photos.find(path, pixels)) {
        const auto width = static_cast<float>(texture->width());
        const auto height = static_cast<float>(texture->height());
        const float u = width > height ? (1 - height / width) / 2 : 0;
        const float v = height > width ? (1 - width / height) / 2 : 0;
        list.AddImageRounded(texture->id(), corner, end, {u, v}, {1 - u, 1 - v}, IM_COL32_WHITE, em(0.25F));
    } else {
        list.AddRectFilled(corner, end, ImGui::GetColorU32(ImGuiCol_FrameBg), em(0.25F));
        const std::string& fault = photos.fault(path, pixels);
        const std::string text = fault.empty() ? "…" : fault == "deleted" ? "deleted" : "unreadable";
        const ImVec2 size = ImGui::CalcTextSize(text.c_str());
        list.AddText({corner.x + (side - size.x) / 2, corner.y + (side - size.y) / 2},
                     ImGui::GetColorU32(fault.empty() ? faint_colour() : bad_colour()), text.c_str());
        if (hovered && !fault.empty()) ImGui::SetTooltip("%s\n%s", path.c_str(), fault.c_str());
    }
    if (hovered) list.AddRect(corner, end, ImGui::GetColorU32(ImGuiCol_NavCursor), em(0.25F));
    return clicked;
}

}  // namespace ouaf::dashboard
