// Training of weights that are stored as a few integers: the network computes with weights rounded as its bundle will
// have them, and their gradients move exact weights behind them, as if nothing were rounded between (the
// straight-through estimator: Bengio et al. 2013, https://arxiv.org/abs/1308.3432; of a whole network: Jacob et al.
// 2018, https://arxiv.org/abs/1712.05877). The steps between the integers stay.
//
// In between, the network's parameters hold the exact weights in units of training: reach times a unit is a step, for
// every channel alike, so that coarse and fine ones come to another integer in the same time.
//
//     WeightGrid grid(network, rounded, reach);   // rounded: the network's graph, by graph/rounding.hpp
//     { const WeightGrid::Use use(grid); network.forward(images).backward(); }
//     optimizer.step(learning_rate);
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "native/graph/graph.hpp"
#include "native/graph/network.hpp"

namespace ouaf {

class WeightGrid {
 public:
    WeightGrid() = default;  // of a network whose weights may be any number

    // All of the network becomes `rounded`'s.
    WeightGrid(graph::Network& network, const graph::Graph& rounded, double reach);

    // Of a network whose parameters are in units already; steps: by the weights' names, as steps() had them.
    WeightGrid(graph::Network& network, const std::map<std::string, at::Tensor>& steps, double reach);

    std::map<std::string, at::Tensor> steps() const;

    // A value of this parameter in the units that it is trained in; as it is where it isn't on the grid.
    at::Tensor in_units(const at::Tensor& parameter, const at::Tensor& value) const;

    // While it lives, the network has the rounded weights; gradients that they have by then become those of the exact
    // ones.
    class Use {
     public:
        explicit Use(WeightGrid& grid);
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

     private:
        WeightGrid& grid_;
        std::vector<at::Tensor> exact_;
    };

 private:
    struct Weight {
        std::string name;
        at::Tensor parameter;
        at::Tensor steps;  // of each output channel, to be multiplied with
    };
    std::vector<Weight> weights_;
    double reach_ = 1;
};

}  // namespace ouaf
