// See gate.hpp.
#include "native/graph/kernels/gate.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "native/graph/kernels/images.hpp"

namespace ouaf::graph {

namespace {

template <class T>
struct Job {
    const T* x;
    const T* gate;  // [n, channels]
    const T* dy;
    T* dx;
    T* dgate;
    std::int64_t pixels;
    std::int64_t channels;
};

template <class T>
OUAF_INLINE void backward(const Job<T>& job, std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(job.channels));
    for (std::int64_t image = begin; image < end; ++image) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (std::int64_t pixel = 0; pixel < job.pixels; ++pixel) {
            const std::int64_t from = (image * job.pixels + pixel) * job.channels;
            for (std::int64_t c = 0; c < job.channels; c += lanes) {
                Floats gate;
                Floats sum;
                Floats x;
                Floats dy;
                load(job.gate + image * job.channels + c, gate);
                load(sums.data() + c, sum);
                load(job.x + from + c, x);
                load(job.dy + from + c, dy);
                store(sums.data() + c, sum + x * dy);
                store(job.dx + from + c, dy * gate);
            }
        }
        for (std::int64_t c = 0; c < job.channels; c += lanes) {
            Floats sum;
            load(sums.data() + c, sum);
            store(job.dgate + image * job.channels + c, sum);
        }
    }
}

OUAF_EACH_PROCESSOR void backward_of(const Job<float>& job, std::int64_t begin, std::int64_t end) {
    backward(job, begin, end);
}
OUAF_EACH_PROCESSOR void backward_of(const Job<c10::BFloat16>& job, std::int64_t begin, std::int64_t end) {
    backward(job, begin, end);
}

struct Gate : torch::autograd::Function<Gate> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& gate) {
        context->save_for_backward({x, gate});
        return x * gate;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor gate = saved[1].contiguous();
        const at::Tensor dy = as_images(gradients[0].to(x.scalar_type()));
        at::Tensor dx = at::empty_like(x);
        at::Tensor dgate = at::empty(gate.sizes(), gate.options());
        with_type(x, [&](auto type) {
            using T = decltype(type);
            const Job<T> job{elements<T>(x),     elements<T>(gate),     elements<T>(dy), writable<T>(dx),
                             writable<T>(dgate), x.size(2) * x.size(3), x.size(1)};
            at::parallel_for(0, x.size(0), 1,
                             [&](std::int64_t begin, std::int64_t end) { backward_of(job, begin, end); });
        });
        return {dx, dgate};
    }
};

}  // namespace

bool can_gate(const at::Tensor& x, const at::Tensor& gate) {
    return are_lane_images(x) && gate.scalar_type() == x.scalar_type() && gate.device().is_cpu() && gate.dim() == 4 &&
           gate.size(0) == x.size(0) && gate.size(1) == x.size(1) && gate.size(2) == 1 && gate.size(3) == 1 &&
           x.size(2) * x.size(3) > 1;
}

at::Tensor gated(const at::Tensor& x, const at::Tensor& gate) { return Gate::apply(x, gate); }

}  // namespace ouaf::graph
