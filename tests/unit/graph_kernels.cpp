// The kernels of native/graph/kernels against LibTorch's operators in float64, forward and gradients.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/graph/kernels/batch_norm.hpp"
#include "native/graph/kernels/depthwise.hpp"
#include "native/graph/kernels/gate.hpp"
#include "native/graph/network.hpp"
#include "native/graph/torch_tensor.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;

namespace {

at::Tensor images(at::IntArrayRef sizes, at::ScalarType type) {
    return at::randn(sizes, at::kFloat).to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
}

at::Tensor in_double(const at::Tensor& x) { return x.detach().to(at::kDouble).requires_grad_(); }

// The largest difference, of the largest value.
double difference(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor wanted = b.detach().to(at::kDouble);
    return ((a.detach().to(at::kDouble) - wanted).abs().max() / wanted.abs().max()).item<double>();
}

// Sums of some thousand products in float32; bfloat16 keeps eight bits of every result.
double tolerance(at::ScalarType type) { return type == at::kFloat ? 3e-6 : 8e-3; }

}  // namespace

TEST_CASE("a batch norm with its activation follows LibTorch in float64", "[graph][kernels]") {
    at::manual_seed(1);
    const auto type = GENERATE(at::kFloat, at::kBFloat16);
    const auto activation = GENERATE(Activation::none, Activation::relu, Activation::silu);
    const bool with_residual = GENERATE(false, true);
    const bool pooled = GENERATE(false, true);
    if (activation == Activation::silu && with_residual) return;
    constexpr double epsilon = 1e-3;
    CAPTURE(type, static_cast<int>(activation), with_residual, pooled);

    // A mean far from zero: the sum of squares must not cancel.
    const at::Tensor x = (images({5, 48, 9, 13}, at::kFloat).detach() * 2 + 30).to(type).requires_grad_();
    const at::Tensor residual = with_residual ? images({5, 48, 9, 13}, type) : at::Tensor();
    const at::Tensor scale = at::randn({48}).requires_grad_();
    const at::Tensor bias = at::randn({48}).requires_grad_();
    REQUIRE(can_normalise_activated(x, residual));
    const NormalisedBatch batch = normalise_activated(x, scale, bias, residual, activation, epsilon, pooled);

    const at::Tensor wide_x = in_double(x);
    const at::Tensor wide_residual = with_residual ? in_double(residual) : at::Tensor();
    const at::Tensor wide_scale = in_double(scale);
    const at::Tensor wide_bias = in_double(bias);
    at::Tensor z = at::batch_norm(wide_x, wide_scale, wide_bias, {}, {}, true, 0, epsilon, false);
    if (with_residual) z = z + wide_residual;
    const at::Tensor y = activation == Activation::relu   ? at::relu(z)
                         : activation == Activation::silu ? at::silu(z)
                                                          : z;

    const double near = tolerance(type);
    CHECK(difference(batch.y, y) < near);
    CHECK(difference(batch.mean, wide_x.mean({0, 2, 3})) < 1e-6);
    CHECK(difference(batch.variance, wide_x.var({0, 2, 3}, false)) < 1e-5);
    CHECK(batch.pooled.defined() == pooled);

    const at::Tensor upstream = at::randn_like(x, at::kFloat);
    const at::Tensor upstream_mean = at::randn({5, 48, 1, 1}) * 20;
    at::Tensor ours = (batch.y * upstream).sum();
    at::Tensor theirs = (y * upstream).sum();
    if (pooled) {
        CHECK(difference(batch.pooled, y.mean({2, 3}, true)) < near);
        ours = ours + (batch.pooled * upstream_mean).sum();
        theirs = theirs + (y.mean({2, 3}, true) * upstream_mean).sum();
    }
    ours.backward();
    theirs.backward();
    // ReLU's slope jumps where rounding may fall on either side of zero: bfloat16's gradients are compared on the
    // whole.
    const auto distance = [](const at::Tensor& a, const at::Tensor& b) {
        return ((a.to(at::kDouble) - b).norm() / b.norm()).item<double>();
    };
    CHECK(distance(x.grad(), wide_x.grad()) < 3 * near);
    CHECK(distance(scale.grad(), wide_scale.grad()) < 3 * near);
    CHECK(distance(bias.grad(), wide_bias.grad()) < 3 * near);
    if (with_residual) CHECK(distance(residual.grad(), wide_residual.grad()) < 3 * near);
}

TEST_CASE("only the mean over the image may be read", "[graph][kernels]") {
    at::manual_seed(2);
    const at::Tensor x = images({3, 16, 4, 5}, at::kFloat);
    const at::Tensor scale = at::randn({16}).requires_grad_();
    const at::Tensor bias = at::randn({16}).requires_grad_();
    const at::Tensor upstream = at::randn({3, 16, 1, 1});
    (normalise_activated(x, scale, bias, {}, Activation::silu, 1e-5, true).pooled * upstream).sum().backward();
    const at::Tensor wide = in_double(x);
    const at::Tensor y = at::silu(at::batch_norm(wide, scale.detach().to(at::kDouble), bias.detach().to(at::kDouble),
                                                 {}, {}, true, 0, 1e-5, false));
    (y.mean({2, 3}, true) * upstream).sum().backward();
    CHECK(difference(x.grad(), wide.grad()) < 1e-5);
}

TEST_CASE("a depthwise convolution follows LibTorch in float64", "[graph][kernels]") {
    at::manual_seed(3);
    const auto type = GENERATE(at::kFloat, at::kBFloat16);
    const auto kernel = GENERATE(at::IntArrayRef{3, 3}.vec(), at::IntArrayRef{5, 5}.vec(), at::IntArrayRef{1, 7}.vec());
    const std::int64_t stride = GENERATE(1, 2);
    const bool uneven = GENERATE(false, true);
    const bool has_bias = GENERATE(false, true);
    CAPTURE(type, kernel, stride, uneven, has_bias);
    const at::Tensor x = images({3, 32, 10, 9}, type);
    const at::Tensor weight = at::randn({32, 1, kernel[0], kernel[1]}).to(type).requires_grad_();
    const at::Tensor bias = has_bias ? at::randn({32}).requires_grad_() : at::Tensor();
    const std::int64_t before = uneven ? 0 : 1;
    REQUIRE(can_convolve_depthwise(x, weight));
    const at::Tensor y = convolve_depthwise(x, weight, bias, {{stride, stride}, {before, before}, {1, 1}});

    const at::Tensor wide_x = in_double(x);
    const at::Tensor wide_weight = in_double(weight);
    const at::Tensor wide_bias = has_bias ? in_double(bias) : at::Tensor();
    const at::Tensor padded = at::constant_pad_nd(wide_x, {before, 1, before, 1});
    const at::Tensor wanted =
        at::convolution(padded, wide_weight, has_bias ? std::optional<at::Tensor>(wide_bias) : std::nullopt,
                        {stride, stride}, {0, 0}, {1, 1}, false, {0, 0}, 32);
    REQUIRE(y.sizes() == wanted.sizes());
    const double near = tolerance(type);
    CHECK(difference(y, wanted) < near);
    const at::Tensor upstream = at::randn(y.sizes()).to(type);
    (y * upstream).sum().backward();
    (wanted * upstream).sum().backward();
    CHECK(difference(x.grad(), wide_x.grad()) < near);
    CHECK(difference(weight.grad(), wide_weight.grad()) < near);
    if (has_bias) CHECK(difference(bias.grad(), wide_bias.grad()) < near);
}

TEST_CASE("gates' gradients follow LibTorch in float64", "[graph][kernels]") {
    at::manual_seed(4);
    const auto type = GENERATE(at::kFloat, at::kBFloat16);
    const at::Tensor x = images({3, 32, 7, 6}, type);
    const at::Tensor gate = at::randn({3, 32, 1, 1}).to(type).requires_grad_();
    REQUIRE(can_gate(x, gate));
    const at::Tensor upstream = at::randn(x.sizes()).to(type);
    (gated(x, gate) * upstream).sum().backward();
    const at::Tensor wide_x = in_double(x);
    const at::Tensor wide_gate = in_double(gate);
    (wide_x * wide_gate * upstream).sum().backward();
    CHECK(difference(x.grad(), wide_x.grad()) < tolerance(type));
    CHECK(difference(gate.grad(), wide_gate.grad()) < tolerance(type));
}

TEST_CASE("what the kernels don't take is told", "[graph][kernels]") {
    const at::Tensor x = images({2, 16, 3, 3}, at::kFloat);
    const at::Tensor few = images({2, 8, 3, 3}, at::kFloat);
    CHECK_FALSE(can_normalise_activated(few, {}));
    CHECK_FALSE(can_normalise_activated(x.detach().contiguous(), {}));
    CHECK_FALSE(can_normalise_activated(x.detach().to(at::kDouble), {}));
    CHECK_FALSE(can_normalise_activated(x, few));
    CHECK_FALSE(can_convolve_depthwise(x, at::randn({16, 1, 9, 9})));
    CHECK_FALSE(can_convolve_depthwise(x, at::randn({32, 1, 3, 3})));
    CHECK_FALSE(can_convolve_depthwise(x, at::randn({16, 1, 3, 3}).to(at::kBFloat16)));
    CHECK_FALSE(can_gate(x, at::randn({2, 16, 3, 3})));
    CHECK_FALSE(can_gate(x, at::randn({1, 16, 1, 1})));
}
