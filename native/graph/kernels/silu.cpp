// See silu.hpp.
#include "native/graph/kernels/silu.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "native/graph/kernels/images.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t elements_at_once = 1 << 14;  // a thread's least share

template <class T>
struct Job {
    const T* x;
    const T* dy;  // nullptr forward
    T* result;    // y or dx
};

template <class T>
OUAF_INLINE void compute(const Job<T>& job, std::int64_t at) {
    Floats x;
    Floats gate;
    load(job.x + at, x);
    sigmoid(x, gate);
    if (!job.dy) {
        store(job.result + at, x * gate);
        return;
    }
    Floats dy;
    load(job.dy + at, dy);
    store(job.result + at, dy * gate * (1.0f + x * (1.0f - gate)));
}

// From begin up to end; what is left at the end goes through memory of sixteen.
template <class T>
OUAF_INLINE void compute_range(const Job<T>& job, std::int64_t begin, std::int64_t end) {
    std::int64_t at = begin;
    for (; at + lanes <= end; at += lanes) compute(job, at);
    if (at == end) return;
    T x[lanes] = {};
    T dy[lanes] = {};
    T result[lanes];
    std::copy(job.x + at, job.x + end, x);
    if (job.dy) std::copy(job.dy + at, job.dy + end, dy);
    compute(Job<T>{x, job.dy ? dy : nullptr, result}, 0);
    std::copy(result, result + (end - at), job.result + at);
}

OUAF_EACH_PROCESSOR void run_range(const Job<float>& job, std::int64_t begin, std::int64_t end) {
    compute_range(job, begin, end);
}
OUAF_EACH_PROCESSOR void run_range(const Job<c10::BFloat16>& job, std::int64_t begin, std::int64_t end) {
    compute_range(job, begin, end);
}

// x and dy lie alike in memory.
at::Tensor run(const at::Tensor& x, const at::Tensor& dy) {
    at::Tensor result = at::empty_like(x);
    with_type(x, [&](auto type) {
        using T = decltype(type);
        const Job<T> job{elements<T>(x), elements<T>(dy), writable<T>(result)};
        at::parallel_for(0, x.numel(), elements_at_once,
                         [&](std::int64_t begin, std::int64_t end) { run_range(job, begin, end); });
    });
    return result;
}

struct Silu : torch::autograd::Function<Silu> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
        context->save_for_backward({x});
        return run(x, {});
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const at::Tensor x = context->get_saved_variables()[0];
        at::Tensor dy = gradients[0].to(x.scalar_type());
        if (dy.strides() != x.strides()) dy = at::empty_like(x).copy_(dy);
        return {run(x, dy)};
    }
};

}  // namespace

bool can_silu(const at::Tensor& x) {
    return x.device().is_cpu() && x.numel() > 0 &&
           (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.is_non_overlapping_and_dense();
}

at::Tensor silu_for_training(const at::Tensor& x) { return Silu::apply(x); }

}  // namespace ouaf::graph
