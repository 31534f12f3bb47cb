// See plan.hpp.
#include "native/graph/plan.hpp"

#include <algorithm>

namespace ouaf::graph {

namespace {

void mark_last_reads(Plan& plan) {
    std::vector<bool> read_later(static_cast<std::size_t>(plan.slots), false);
    for (const auto& [name, slot] : plan.kept) read_later[static_cast<std::size_t>(slot)] = true;
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
        step->dies.assign(step->inputs.size(), false);
        for (std::size_t i = step->inputs.size(); i-- > 0;) {
            const int slot = step->inputs[i];
            if (slot < 0 || slot == absent || read_later[static_cast<std::size_t>(slot)]) continue;
            step->dies[i] = true;  // of a slot read twice by one step, the last input takes it
            read_later[static_cast<std::size_t>(slot)] = true;
        }
    }
}

// LibTorch's messages run on with a stack; the first line says what is wrong.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Plan make_plan(const Graph& graph, const std::vector<Node>& nodes, const Kept& kept,
               const std::unordered_map<std::string, int>& constant_index) {
    Plan plan;
    std::unordered_map<std::string, int> slot_of;
    const auto new_slot = [&](const std::string& name) {
        if (name.empty()) return absent;
        slot_of[name] = plan.slots;
        if (kept.contains(name)) plan.kept[name] = plan.slots;
        return plan.slots++;
    };
    for (const Value& input : graph.inputs) new_slot(input.name);
    const std::int64_t opset = graph.opsets.at("");
    for (const Node& node : nodes) {
        Step step;
        step.what = describe(node);
        const Op* op = find_op(node.domain, node.op, opset);
        if (!op) fail(graph, step.what + " is not in the op table");
        step.kernel = op->build(Build{graph, node, opset});
        for (const std::string& input : node.inputs) {
            const auto constant = constant_index.find(input);
            if (input.empty()) step.inputs.push_back(absent);
            else step.inputs.push_back(constant != constant_index.end() ? -1 - constant->second : slot_of.at(input));
        }
        for (const std::string& output : node.outputs) step.outputs.push_back(new_slot(output));
        plan.steps.push_back(std::move(step));
    }
    mark_last_reads(plan);
    return plan;
}

at::Tensor run_plan(const Plan& plan, const std::string& source, std::span<const at::Tensor> constants,
                    const at::Tensor& input, int wanted, bool gradients) {
    std::vector<at::Tensor> slots(static_cast<std::size_t>(plan.slots));
    slots[static_cast<std::size_t>(plan.input)] = input;
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;
    for (const Step& step : plan.steps) {
        if (slots[static_cast<std::size_t>(wanted)].defined()) break;
        inputs.assign(step.inputs.size(), at::Tensor());
        outputs.assign(step.outputs.size(), at::Tensor());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const int slot = step.inputs[i];
            if (slot == absent) continue;
            if (slot < 0) inputs[i] = constants[static_cast<std::size_t>(-1 - slot)];
            else if (step.dies[i]) inputs[i] = std::move(slots[static_cast<std::size_t>(slot)]);
            else inputs[i] = slots[static_cast<std::size_t>(slot)];
        }
        Run run{inputs, outputs, gradients};
        try {
            step.kernel(run);
        } catch (const c10::Error& error) {
            throw std::runtime_error(source + ": " + step.what + ": " + first_line(error.what_without_backtrace()));
        }
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (step.outputs[i] != absent) slots[static_cast<std::size_t>(step.outputs[i])] = std::move(outputs[i]);
    }
    return slots[static_cast<std::size_t>(wanted)];
}

}  // namespace ouaf::graph
