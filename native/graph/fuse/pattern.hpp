// What the patterns of this folder share: looking from a value back to its node, and merging nodes.
#pragma once

#include <initializer_list>
#include <optional>

#include "native/graph/fuse/fuse.hpp"

namespace ouaf::graph {

bool is_standard(const Node& node, const char* op);

class Pattern {
 public:
    Pattern(std::vector<Node>& nodes, const Surroundings& around);
    ~Pattern();  // removes what was merged
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    // The index of the node of ONNX's own operator `op` that makes the value; nothing where another one does.
    std::optional<std::size_t> made_by(const std::string& value, const char* op) const;
    // The same where no other node reads the value and nobody else needs it: the node may be merged into its reader.
    std::optional<std::size_t> inner(const std::string& value, const char* op) const;
    // The node that alone reads the value, where there is just one and nobody else needs it.
    std::optional<std::size_t> only_reader(const std::string& value) const;

    const Tensor* constant(const std::string& value) const;
    std::optional<float> number(const std::string& value) const;  // a constant of one element
    const Dims* sizes(const std::string& value) const;            // nullptr where they are not known

    // The node `last` becomes `node`, which has its outputs; `others` go away.
    void merge(std::size_t last, Node node, const std::vector<std::size_t>& others);
    bool is_merged(std::size_t node) const { return merged_[node]; }

 private:
    std::vector<Node>& nodes_;
    const Surroundings& around_;
    std::unordered_map<std::string, std::size_t> producers_;
    std::unordered_map<std::string, int> uses_;
    std::unordered_map<std::string, std::size_t> readers_;
    std::vector<bool> merged_;
};

// A node and those after it that it takes in, one at a time; merged at the end.
class Chain {
 public:
    Chain(Pattern& pattern, const std::vector<Node>& nodes, std::size_t first)
        : node(nodes[first]), pattern_(pattern), nodes_(nodes), last_(first) {}

    Node node;  // what it will be, with the outputs of the last one taken

    // The node that alone reads what the chain makes.
    std::optional<std::size_t> reader() const { return pattern_.only_reader(node.outputs.at(0)); }
    // Where that is an Add: what it adds, which is no constant.
    std::optional<std::string> summand() const;
    void take(std::size_t next);
    // A node that another output replaces, wherever it stands.
    void take_beside(std::size_t other);
    bool has_grown() const { return !others_.empty(); }
    void merge() && { pattern_.merge(last_, std::move(node), others_); }

 private:
    Pattern& pattern_;
    const std::vector<Node>& nodes_;
    std::size_t last_;
    std::vector<std::size_t> others_;
};

}  // namespace ouaf::graph
