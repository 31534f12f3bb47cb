// See gl_pixels.hpp.
#include "native/dashboard/gl_pixels.hpp"

#include <GL/gl.h>
#include <imgui.h>
#include <imgui_impl_opengl3.h>
#include <png.h>

#include <algorithm>
#include <stdexcept>

namespace ouaf::dashboard {

void draw_gl_frame(int width, int height) {
    const ImVec4 back = ImGui::GetStyleColorVec4(ImGuiCol_WindowBg);
    glViewport(0, 0, width, height);
    glClearColor(back.x, back.y, back.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

Pixels read_gl_pixels(int width, int height, unsigned buffer) {
    Pixels pixels{width, height, {}};
    const auto row = static_cast<std::size_t>(width) * 3;
    std::vector<std::uint8_t> from_below(row * static_cast<std::size_t>(height));
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadBuffer(buffer);
    glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, from_below.data());
    for (int y = height - 1; y >= 0; --y) {
        const auto begin = from_below.begin() + static_cast<std::ptrdiff_t>(row) * y;
        pixels.rgb.insert(pixels.rgb.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
    }
    return pixels;
}

void write_png(const std::filesystem::path& path, const Pixels& pixels) {
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    header.width = static_cast<png_uint_32>(pixels.width);
    header.height = static_cast<png_uint_32>(pixels.height);
    header.format = PNG_FORMAT_RGB;
    if (png_image_write_to_file(&header, path.c_str(), 0, pixels.rgb.data(), 0, nullptr) == 0)
        throw std::runtime_error(path.string() + ": can't be written: " + header.message);
}

}  // namespace ouaf::dashboard
