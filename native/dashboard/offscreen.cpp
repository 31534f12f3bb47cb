// Frames in memory, see surface.hpp. Mesa's surfaceless platform draws without X, Wayland or a graphics card.
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/gl.h>
#include <imgui.h>
#include <imgui_impl_opengl3.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "native/dashboard/gl_pixels.hpp"
#include "native/dashboard/surface.hpp"

namespace ouaf::dashboard {
namespace {

void expect(bool done, const char* what) {
    if (!done)
        throw std::runtime_error(std::string("the dashboard can't draw into memory: ") + what +
                                 " failed; it needs Mesa's EGL (Debian's libegl-mesa0 and libgl1-mesa-dri)");
}

class Offscreen : public Surface {
 public:
    Offscreen(int width, int height, float scale) : width_(width), height_(height), scale_(scale) {
        display_ = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
        expect(display_ != EGL_NO_DISPLAY && eglInitialize(display_, nullptr, nullptr) != 0, "eglInitialize");
        expect(eglBindAPI(EGL_OPENGL_API) != 0, "eglBindAPI");
        const std::array<EGLint, 11> wanted{EGL_SURFACE_TYPE,
                                            EGL_PBUFFER_BIT,
                                            EGL_RENDERABLE_TYPE,
                                            EGL_OPENGL_BIT,
                                            EGL_RED_SIZE,
                                            8,
                                            EGL_GREEN_SIZE,
                                            8,
                                            EGL_BLUE_SIZE,
                                            8,
                                            EGL_NONE};
        EGLConfig config = nullptr;
        EGLint count = 0;
        expect(eglChooseConfig(display_, wanted.data(), &config, 1, &count) != 0 && count == 1, "eglChooseConfig");
        const std::array<EGLint, 7> version{
            EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 2, EGL_CONTEXT_OPENGL_PROFILE_MASK,
            EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
        context_ = eglCreateContext(display_, config, EGL_NO_CONTEXT, version.data());
        expect(context_ != EGL_NO_CONTEXT, "eglCreateContext");
        const std::array<EGLint, 5> size{EGL_WIDTH, width, EGL_HEIGHT, height, EGL_NONE};
        surface_ = eglCreatePbufferSurface(display_, config, size.data());
        expect(surface_ != EGL_NO_SURFACE, "eglCreatePbufferSurface");
        expect(eglMakeCurrent(display_, surface_, surface_, context_) != 0, "eglMakeCurrent");
        ImGui_ImplOpenGL3_Init();
    }

    ~Offscreen() override {
        ImGui_ImplOpenGL3_Shutdown();
        eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        eglDestroySurface(display_, surface_);
        eglDestroyContext(display_, context_);
        eglTerminate(display_);
    }

    bool wait(double seconds) override {
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return awake_; });
        awake_ = false;
        return false;
    }

    void wake() override {
        const std::lock_guard lock(mutex_);
        awake_ = true;
        woken_.notify_one();
    }

    void begin_frame() override {
        ImGui_ImplOpenGL3_NewFrame();
        ImGuiIO& io = ImGui::GetIO();
        io.DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
        io.DeltaTime = 1.0F / 60;
    }

    void end_frame() override { draw_gl_frame(width_, height_); }

    float scale() const override { return scale_; }

    Pixels read_pixels() override { return read_gl_pixels(width_, height_, GL_BACK); }

 private:
    int width_;
    int height_;
    float scale_;
    EGLDisplay display_ = EGL_NO_DISPLAY;
    EGLContext context_ = EGL_NO_CONTEXT;
    EGLSurface surface_ = EGL_NO_SURFACE;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool awake_ = false;
};

}  // namespace

std::unique_ptr<Surface> open_offscreen(int width, int height, float scale) {
    return std::make_unique<Offscreen>(width, height, scale);
}

}  // namespace ouaf::dashboard
