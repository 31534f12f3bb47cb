// Where frames go: a window on the screen, or memory, where there is no screen.
//
//     std::unique_ptr<Surface> surface = open_window("ouaf");
//     surface->wait(0.5);                        // for input, or wake()
//     surface->begin_frame();
//     ImGui::NewFrame(); … ImGui::Render();
//     surface->end_frame();
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ouaf::dashboard {

struct Pixels {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb;  // from the top, row by row
};

class Surface {
 public:
    Surface() = default;
    Surface(const Surface&) = delete;
    Surface& operator=(const Surface&) = delete;
    virtual ~Surface() = default;

    // Returns after so many seconds, at once when the user did something, or wake() was called. Says whether the user
    // did.
    virtual bool wait(double seconds) = 0;
    virtual void wake() = 0;  // by any thread
    virtual void begin_frame() = 0;
    virtual void end_frame() = 0;

    // How much larger than at 96 dots an inch text and spaces are.
    virtual float scale() const { return 1; }

    // Whether frames are drawn by the processor's own cores, as Mesa does without a graphics card.
    virtual bool draws_on_processor() const { return true; }

    // What came since the last call.
    virtual std::vector<std::filesystem::path> take_dropped_files() { return {}; }
    virtual bool take_close_request() { return false; }

    // A run goes on without it.
    virtual void hide() {}

    // Of the last frame.
    virtual Pixels read_pixels() = 0;
};

// With GLFW and OpenGL 3. Throws std::runtime_error where there is no display.
std::unique_ptr<Surface> open_window(const std::string& title, int width, int height);

// With EGL, which asks for no display.
std::unique_ptr<Surface> open_offscreen(int width, int height, float scale);

// Throws std::runtime_error "path: cause".
void write_png(const std::filesystem::path& path, const Pixels& pixels);

}  // namespace ouaf::dashboard
