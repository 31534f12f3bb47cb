// See gradient_sum.hpp.
#include "native/train/gradient_sum.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace ouaf {
namespace {

constexpr std::int64_t bucket_bytes = 25'000'000;

struct Hook : torch::autograd::PostAccumulateGradHook {
    explicit Hook(std::function<void()> made) : made_(std::move(made)) {}
    void operator()(const at::Tensor&) override { made_(); }
    std::function<void()> made_;
};

}  // namespace

GradientSum::GradientSum(Processes& processes, std::span<const graph::Parameter> parameters) : processes_(processes) {
    if (processes.alone()) return;
    std::int64_t bytes = bucket_bytes;
    for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
        const at::Tensor& tensor = parameter->tensor;
        if (!tensor.requires_grad()) continue;
        if (bytes >= bucket_bytes) {
            buckets_.emplace_back();
            bytes = 0;
        }
        bytes += tensor.numel() * tensor.element_size();
        buckets_.back().parameters.push_back(tensor);
        torch::autograd::impl::set_post_acc_grad_hooks(
            tensor, std::make_unique<Hook>([this, bucket = buckets_.size() - 1] { ready(bucket); }));
    }
}

GradientSum::~GradientSum() {
    for (const Bucket& bucket : buckets_)
        for (const at::Tensor& parameter : bucket.parameters)
            torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
}

void GradientSum::expect() {
    for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters.size();
    sent_ = 0;
    expected_ = true;
}

// All processes send in the same order, whichever gradient comes first.
void GradientSum::ready(std::size_t bucket) {
    if (!expected_) return;
    --buckets_[bucket].missing;
    while (sent_ < buckets_.size() && buckets_[sent_].missing == 0) send(buckets_[sent_++]);
}

void GradientSum::send(Bucket& bucket) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> flat;
    for (const at::Tensor& parameter : bucket.parameters)
        if (parameter.grad().defined()) flat.push_back(parameter.grad().reshape({-1}));
    if (flat.empty()) return;
    bucket.values = at::cat(flat).to(at::kCPU);
    bucket.wait = processes_.start_sum(bucket.values);
}

void GradientSum::finish() {
    const at::NoGradGuard no_gradients;
    while (sent_ < buckets_.size()) send(buckets_[sent_++]);
    expected_ = false;
    for (Bucket& bucket : buckets_) {
        if (!bucket.wait) continue;
        std::exchange(bucket.wait, nullptr)();
        std::int64_t place = 0;
        for (const at::Tensor& parameter : bucket.parameters) {
            if (!parameter.grad().defined()) continue;
            const std::int64_t end = place + parameter.numel();
            parameter.mutable_grad().copy_(bucket.values.slice(0, place, end).view(parameter.sizes()));
            place = end;
        }
    }
}

}  // namespace ouaf
