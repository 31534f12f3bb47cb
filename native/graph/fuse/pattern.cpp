// See pattern.hpp.
#include "native/graph/fuse/pattern.hpp"

namespace ouaf::graph {

bool is_standard(const Node& node, const char* op) { return node.op == op && node.domain.empty(); }

Pattern::Pattern(std::vector<Node>& nodes, const Surroundings& around)
    : nodes_(nodes),
      around_(around),
      producers_(producers(nodes)),
      uses_(use_counts(nodes, {})),
      merged_(nodes.size(), false) {
    for (std::size_t index = 0; index < nodes.size(); ++index)
        for (const std::string& input : nodes[index].inputs)
            if (!input.empty() && uses_.at(input) == 1 && !around.kept.contains(input)) readers_.emplace(input, index);
}

Pattern::~Pattern() {
    std::size_t next = 0;
    for (std::size_t index = 0; index < nodes_.size(); ++index) {
        if (merged_[index]) continue;
        if (next != index) nodes_[next] = std::move(nodes_[index]);
        ++next;
    }
    nodes_.resize(next);
}

std::optional<std::size_t> Pattern::made_by(const std::string& value, const char* op) const {
    const auto found = producers_.find(value);
    if (found == producers_.end() || merged_[found->second] || !is_standard(nodes_[found->second], op))
        return std::nullopt;
    return found->second;
}

std::optional<std::size_t> Pattern::inner(const std::string& value, const char* op) const {
    return readers_.contains(value) ? made_by(value, op) : std::nullopt;
}

std::optional<std::size_t> Pattern::only_reader(const std::string& value) const {
    const auto found = readers_.find(value);
    if (found == readers_.end() || merged_[found->second]) return std::nullopt;
    return found->second;
}

const Tensor* Pattern::constant(const std::string& value) const {
    const auto found = around_.graph.initializers.find(value);
    return found == around_.graph.initializers.end() ? nullptr : &found->second;
}

std::optional<float> Pattern::number(const std::string& value) const {
    const Tensor* tensor = constant(value);
    if (!tensor || tensor->count() != 1 || is_weight(*tensor)) return std::nullopt;
    return to_floats(*tensor)[0];
}

const Dims* Pattern::sizes(const std::string& value) const {
    const auto found = around_.sizes.find(value);
    return found == around_.sizes.end() ? nullptr : &found->second;
}

void Pattern::merge(std::size_t last, Node node, const std::vector<std::size_t>& others) {
    for (const std::size_t other : others) merged_[other] = true;
    nodes_[last] = std::move(node);
}

std::optional<std::string> Chain::summand() const {
    const auto sum = reader();
    if (!sum || !is_standard(nodes_[*sum], "Add")) return std::nullopt;
    const auto& sides = nodes_[*sum].inputs;
    const std::string& other = sides[sides[0] == node.outputs[0] ? 1 : 0];
    return pattern_.constant(other) ? std::nullopt : std::optional(other);
}

void Chain::take(std::size_t next) {
    others_.push_back(last_);
    last_ = next;
    node.outputs = nodes_[next].outputs;
}

void Chain::take_beside(std::size_t other) {
    others_.push_back(other);
    node.outputs.push_back(nodes_[other].outputs.at(0));
}

}  // namespace ouaf::graph
