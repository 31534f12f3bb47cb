// A window on the screen, see surface.hpp.
#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "native/dashboard/gl_pixels.hpp"
#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {
namespace {

class Window : public Surface {
 public:
    Window(const std::string& title, int width, int height) {
        if (!glfwInit()) throw_error();
        glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
        glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 2);
        glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
        glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
        window_ = glfwCreateWindow(width, height, title.c_str(), nullptr, nullptr);
        if (!window_) throw_error();
        glfwMakeContextCurrent(window_);
        glfwSwapInterval(1);
        glfwSetWindowUserPointer(window_, this);
        listen();
        ImGui_ImplGlfw_InitForOpenGL(window_, true);  // calls what listens so far too
        ImGui_ImplOpenGL3_Init();
    }

    ~Window() override {
        ImGui_ImplOpenGL3_Shutdown();
        ImGui_ImplGlfw_Shutdown();
        glfwDestroyWindow(window_);
        glfwTerminate();
    }

    bool wait(double seconds) override {
        if (seconds > 0) glfwWaitEventsTimeout(seconds);
        else glfwPollEvents();
        return std::exchange(input_, false);
    }

    void wake() override { glfwPostEmptyEvent(); }

    void begin_frame() override {
        ImGui_ImplOpenGL3_NewFrame();
        ImGui_ImplGlfw_NewFrame();
    }

    void end_frame() override {
        const auto [width, height] = size();
        draw_gl_frame(width, height);
        glfwSwapBuffers(window_);
    }

    float scale() const override {
        float x = 1;
        float y = 1;
        glfwGetWindowContentScale(window_, &x, &y);
        return std::max(x, y);
    }

    bool draws_on_processor() const override {
        const std::string_view renderer = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
        return renderer.starts_with("llvmpipe") || renderer.starts_with("softpipe");
    }

    std::vector<std::filesystem::path> take_dropped_files() override { return std::exchange(dropped_, {}); }

    bool take_close_request() override {
        const bool asked = glfwWindowShouldClose(window_);
        glfwSetWindowShouldClose(window_, GLFW_FALSE);
        return asked;
    }

    void hide() override {
        glfwHideWindow(window_);
        glfwPollEvents();
    }

    Pixels read_pixels() override {
        const auto [width, height] = size();
        return read_gl_pixels(width, height, GL_FRONT);
    }

 private:
    [[noreturn]] static void throw_error() {
        const char* cause = nullptr;
        glfwGetError(&cause);
        throw std::runtime_error(std::string("the dashboard can't open a window: ") + (cause ? cause : "no display") +
                                 "; over a remote shell, --screenshot DIR draws its panels into files");
    }

    std::pair<int, int> size() const {
        std::pair<int, int> pixels;
        glfwGetFramebufferSize(window_, &pixels.first, &pixels.second);
        return pixels;
    }

    static Window& of(GLFWwindow* window) { return *static_cast<Window*>(glfwGetWindowUserPointer(window)); }

    void listen() {
        glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double, double) { of(w).input_ = true; });
        glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int, int, int) { of(w).input_ = true; });
        glfwSetScrollCallback(window_, [](GLFWwindow* w, double, double) { of(w).input_ = true; });
        glfwSetKeyCallback(window_, [](GLFWwindow* w, int, int, int, int) { of(w).input_ = true; });
        glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned) { of(w).input_ = true; });
        glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) { of(w).input_ = true; });
        glfwSetWindowRefreshCallback(window_, [](GLFWwindow* w) { of(w).input_ = true; });
        glfwSetDropCallback(window_, [](GLFWwindow* w, int count, const char** paths) {
            of(w).input_ = true;
            for (int i = 0; i < count; ++i) of(w).dropped_.emplace_back(paths[i]);
        });
    }

    GLFWwindow* window_ = nullptr;
    bool input_ = true;
    std::vector<std::filesystem::path> dropped_;
};

}  // namespace

std::unique_ptr<Surface> open_window(const std::string& title, int width, int height) {
    return std::make_unique<Window>(title, width, height);
}

}  // namespace ouaf::dashboard
