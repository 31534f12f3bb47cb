// Class activation maps: the identity that they rest on, on a released network. The mean over the places of a class's
// unclamped map, and its bias, are its logit.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>

#include "native/bundle/model.hpp"
#include "native/evaluate/activation_map.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/fold.hpp"
#include "native/graph/head.hpp"

using namespace ouaf;

TEST_CASE("A class's map sums up to its logit, and its strongest place is the largest of what it is scaled from") {
    const Model model = load_model(OUAF_MODELS "/dogs");
    at::manual_seed(3);
    const std::int64_t size = model.bundle.preprocess.size;
    MappedNetwork network(model.graph);
    const MappedAnswer answer = network.answer(at::randn({1, 3, size, size}));
    REQUIRE(answer.maps.defined());

    graph::Graph plain = model.graph;
    graph::canonicalise(plain);
    graph::fold_constants(plain);
    const graph::HeadRows rows = graph::head_rows(plain);
    const at::Tensor logits = answer.maps.mean({1, 2}) + at::tensor(rows.bias);
    REQUIRE((logits - answer.logits).abs().max().item<double>() < 1e-3 * answer.logits.abs().max().item<double>());

    const auto best = static_cast<std::size_t>(answer.logits.argmax().item<std::int64_t>());
    const at::Tensor map = attention(answer, best);
    const at::Tensor own = answer.maps[static_cast<std::int64_t>(best)];
    REQUIRE(map.min().item<double>() >= 0);
    REQUIRE(map.max().item<double>() == 1);
    REQUIRE(map.argmax().item<std::int64_t>() == own.argmax().item<std::int64_t>());
    REQUIRE(at::allclose(map, own.clamp_min(0) / own.max(), 1e-3, 1e-4));
}
