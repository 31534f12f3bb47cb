// Several feature extractors side by side: one picture through all of them, their features one row.
#pragma once

#include <array>
#include <span>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// A network and how its pictures are prepared, by channel.
struct Extractor {
    Graph graph;
    std::array<float, 3> mean{};
    std::array<float, 3> std{};
};

// [n, 3, h, w] as the first one's pictures are prepared -> logits [n, classes], zero until replace_head fills them: the
// heads are cut off (cut_head), the features of all put into one row in their order, and a Gemm of `classes` set behind
// them. Where another wants its pictures normalised differently, its way begins with a factor and an offset a channel.
// Names get "2." and so on in front from the second network on. Throws where cut_head does, and where no opset holds
// all of them.
Graph combine(std::span<const Extractor> extractors, std::int64_t classes);

}  // namespace ouaf::graph
