// Milliseconds that the kernels of native/graph/kernels and LibTorch's operators take for the same, forward and with
// the gradient, for 32 images in the sizes of EfficientNetV2-B0: the fastest of some runs, one after the other.
//
//     build/deps/tools/cmake --build --preset release --target kernel_speed && build/release/kernel_speed
#include <ATen/ATen.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>

#include "native/graph/kernels/batch_norm.hpp"
#include "native/graph/kernels/depthwise.hpp"
#include "native/graph/kernels/gate.hpp"

namespace {

using namespace ouaf::graph;
using Forward = std::function<at::Tensor()>;

struct Times {
    double forward = std::numeric_limits<double>::max();
    double backward = forward;
};

Times fastest(const Forward& forward, const at::Tensor& upstream) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
        return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    };
    Times times;
    for (int run = 0; run < 8; ++run) {
        const Clock::time_point start = Clock::now();
        const at::Tensor y = forward();
        times.forward = std::min(times.forward, since(start));
        const Clock::time_point middle = Clock::now();
        y.backward(upstream);
        times.backward = std::min(times.backward, since(middle));
    }
    return times;
}

void compare(const char* what, const at::Tensor& x, const Forward& ours, const Forward& theirs) {
    const at::Tensor upstream = at::randn_like(theirs().detach());
    const Times mine = fastest(ours, upstream);
    const Times torch = fastest(theirs, upstream);
    std::printf("%-9s %4ld channels %3ld px %-24s forward %6.2f, LibTorch %6.2f; gradient %6.2f, LibTorch %6.2f\n",
                x.scalar_type() == at::kFloat ? "float32" : "bfloat16", static_cast<long>(x.size(1)),
                static_cast<long>(x.size(2)), what, mine.forward, torch.forward, mine.backward, torch.backward);
}

at::Tensor images(at::IntArrayRef sizes, at::ScalarType type) {
    return at::randn(sizes).to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
}

}  // namespace

int main() {
    mallopt(M_MMAP_MAX, 0);  // as main.cpp has it
    mallopt(M_TRIM_THRESHOLD, -1);
    struct Size {
        std::int64_t channels, side;
    };
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
        for (const auto& [channels, side] : {Size{32, 112}, {128, 56}, {672, 14}, {1152, 7}}) {
            const at::Tensor x = images({32, channels, side, side}, type);
            const at::Tensor scale = at::ones({channels}).requires_grad_();
            const at::Tensor bias = at::zeros({channels}).requires_grad_();
            compare(
                "batch norm and SiLU", x,
                [&] { return normalise_activated(x, scale, bias, {}, Activation::silu, 1e-3, false).y; },
                [&] { return at::silu(at::batch_norm(x, scale, bias, {}, {}, true, 0, 1e-3, false)); });
            const at::Tensor gate = at::rand({32, channels, 1, 1}).to(type).requires_grad_();
            compare(
                "gate", x, [&] { return gated(x, gate); }, [&] { return x * gate; });
            const at::Tensor large = at::randn({channels, 1, 5, 5}).to(type).requires_grad_();
            compare(
                "depthwise, 5x5", x,
                [&] {
                    return convolve_depthwise(x, large, {}, {{1, 1}, {2, 2}, {2, 2}});
                },
                [&] {
                    return at::convolution(x, large, {}, {1, 1}, {2, 2}, {1, 1}, false, {0, 0}, channels);
                });
            if (side % 2 != 0) continue;
            const at::Tensor weight = at::randn({channels, 1, 3, 3}).to(type).requires_grad_();
            compare(
                "depthwise, stride 2", x,
                [&] {
                    return convolve_depthwise(x, weight, {}, {{2, 2}, {0, 0}, {1, 1}});
                },
                [&] {
                    return at::convolution(at::constant_pad_nd(x, {0, 1, 0, 1}), weight, {}, {2, 2}, {0, 0}, {1, 1},
                                           false, {0, 0}, channels);
                });
        }
}
