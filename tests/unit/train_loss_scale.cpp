// The scale of the loss in float16 against LibTorch's own, which torch.amp.GradScaler calls.
#include "native/train/loss_scale.hpp"

#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <limits>

using namespace ouaf;

TEST_CASE("the loss scale grows and falls as PyTorch's GradScaler's does") {
    LossScale scale;
    at::Tensor factor = at::full({}, 65536.0F);
    at::Tensor steps = at::zeros({}, at::kInt);
    int changes = 0;
    for (int step = 0; step < 300'000; ++step) {
        // Long rows of good steps, up to what float32 holds, and skipped ones now and then.
        const bool finite = step < 280'000 ? step != 3000 : step % 1500 != 7;
        const double before = scale.factor;
        scale.watch(finite);
        at::_amp_update_scale_(factor, steps, at::full({}, finite ? 0.0F : 1.0F), 2.0, 0.5, 2000);
        changes += scale.factor != before;
        REQUIRE(scale.factor == factor.item<float>());
        REQUIRE(scale.steps == steps.item<int>());
    }
    CHECK(changes > 120);
}

TEST_CASE("gradients lose the scale, and what is no number is found wherever it is") {
    const auto weights = [](float last) {
        const at::Tensor one = at::ones({3}).requires_grad_();
        const at::Tensor other = at::ones({2}).requires_grad_();
        one.mutable_grad() = at::tensor({4.0F, -8.0F, 0.5F});
        other.mutable_grad() = at::tensor({1.0F, last});
        return std::vector<ParameterGroup>{{{one}}, {{at::ones({1}).requires_grad_(), other}}};
    };
    const auto groups = weights(2);
    CHECK(unscale_gradients(groups, 8));
    CHECK(at::equal(groups[0].parameters[0].grad(), at::tensor({0.5F, -1.0F, 0.0625F})));
    CHECK(at::equal(groups[1].parameters[1].grad(), at::tensor({0.125F, 0.25F})));
    CHECK_FALSE(unscale_gradients(weights(std::numeric_limits<float>::infinity()), 8));
    CHECK_FALSE(unscale_gradients(weights(std::numeric_limits<float>::quiet_NaN()), 8));
}
