// Gradients summed over processes while the backward pass still makes more of them, as PyTorch's
// DistributedDataParallel does (Li et al. 2020, https://arxiv.org/abs/2006.15704).
//
//     GradientSum gradients(processes, network.parameters());
//     gradients.expect();  // before the last backward pass of a step
//     loss.backward();
//     gradients.finish();  // now they are the same everywhere
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "native/graph/network.hpp"
#include "native/train/processes.hpp"

namespace ouaf {

class GradientSum {
 public:
    // Of the parameters that require a gradient. Both are used until the end; one process alone costs nothing.
    GradientSum(Processes& processes, std::span<const graph::Parameter> parameters);
    GradientSum(const GradientSum&) = delete;
    GradientSum& operator=(const GradientSum&) = delete;
    ~GradientSum();

    void expect();

    // Throws as Processes does. A parameter without a gradient has none anywhere: each process runs the same network.
    void finish();

 private:
    // Gradients that are sent as one, about 25 MB.
    struct Bucket {
        std::vector<at::Tensor> parameters;
        std::size_t missing = 0;     // gradients that the backward pass has yet to make
        at::Tensor values;           // all of them, one after the other
        std::function<void()> wait;  // once they are sent
    };
    void ready(std::size_t bucket);
    void send(Bucket& bucket);

    Processes& processes_;
    std::vector<Bucket> buckets_;  // in the order in which a backward pass fills them
    bool expected_ = false;
    std::size_t sent_ = 0;  // buckets
};

}  // namespace ouaf
