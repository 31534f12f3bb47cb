// What an optimizer's step leaves behind; the numbers are compared in tests/reference/optimizers.py.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <string>

#include "native/train/optimizer.hpp"

using namespace ouaf;

TEST_CASE("every optimizer's step counts as a change of the weights") {
    for (std::size_t kind = 0; kind < std::size(optimizer_names); ++kind) {
        INFO(std::string(optimizer_names[kind]));
        const at::Tensor weight = at::ones({2, 3}).requires_grad_();
        Optimizer optimizer({.kind = static_cast<OptimizerKind>(kind)}, {{{weight}}});
        weight.mutable_grad() = at::ones({2, 3});
        const auto before = weight._version();
        optimizer.step(0.1);
        CHECK(weight._version() > before);
        CHECK(weight.detach()[0][0].item<float>() < 1);
    }
}
