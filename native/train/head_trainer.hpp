// Fits a linear classification head on features that are computed once.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <vector>

#include "native/graph/head.hpp"
#include "native/train/recipe.hpp"
#include "shared/bundle/bundle.hpp"

namespace ouaf {

// Where a head begins: rows that the backbone has for the same class ids, and zeros for classes it doesn't know.
struct HeadStart {
    graph::HeadRows rows;
    std::vector<bool> known;  // a class each
};

HeadStart start_head(const graph::HeadRows& backbone_rows, std::span<const ClassLabel> backbone_classes,
                     std::span<const ClassLabel> classes);

// Minimises mean cross-entropy + sum over classes of strength * |row - starting row|^2 (bias included) by L-BFGS with a
// strong-Wolfe line search (Nocedal & Wright, Numerical Optimization, 7.2). The problem is convex and nothing is drawn
// at random: the same features give the same head. The pull towards the start keeps what the backbone knows of photos
// unlike the training ones (L2-SP: Li et al. 2018, https://arxiv.org/abs/1802.01483).
// `features` [photos, width] float32, `labels` one a photo; `report(iteration, loss)` after each iteration.
graph::HeadRows fit_head(const at::Tensor& features, std::span<const std::int64_t> labels, const HeadStart& start,
                         const HeadRecipe& recipe, const std::function<void(int, double)>& report);

}  // namespace ouaf
