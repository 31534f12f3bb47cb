// The plans that a network runs by, each made for inputs of one size: then every shape in the graph is known, what is
// computed from shapes alone is a constant, and patterns that depend on sizes can be merged.
#pragma once

#include <ATen/core/Tensor.h>

#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "native/graph/fuse/fuse.hpp"
#include "native/graph/graph.hpp"
#include "native/graph/plan.hpp"

namespace ouaf::graph {

// Every initializer that the network reads; training changes the tensors in place.
struct Constants {
    std::vector<at::Tensor> tensors;
    std::vector<std::string> names;
};

struct Program {
    Plan plan;
    std::vector<at::Tensor> constants;  // the network's, and those of this size after them
};

class Programs {
 public:
    // Which steps may be merged.
    enum class Purpose {
        gradients,  // what autograd can differentiate, each operator in its own type
        inference,  // also what only runs forward, in float32
    };

    Programs() = default;

    // graph: canonical, its constants folded. Throws where an operator's attributes or constants make no sense.
    Programs(Graph graph, Kept kept, const Constants& constants);

    // The program for these inputs, made when they have new sizes. The few last ones are kept.
    std::shared_ptr<const Program> find(std::span<const at::Tensor> inputs, Purpose purpose,
                                        const Constants& constants);

    // The constant of one number is a parameter after all: no program may hold what it is now.
    void set_learned(const std::string& name);

    // To be called when `constants` got other tensors.
    void clear() { recent_.clear(); }

 private:
    struct Entry {
        std::vector<Dims> sizes;
        Purpose purpose;
        std::shared_ptr<const Program> program;
    };

    Graph graph_;  // large weights without their elements
    Kept kept_;
    std::list<Entry> recent_;  // the last used first
};

}  // namespace ouaf::graph
