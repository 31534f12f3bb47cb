// See plan.hpp.
#include "native/graph/plan.hpp"

#include <ATen/autocast_mode.h>

#include <algorithm>

#include "native/graph/memory_limit.hpp"

namespace ouaf::graph {

namespace {

void mark_last_reads(Plan& plan) {
    std::vector<bool> read_later(static_cast<std::size_t>(plan.slots), false);
    for (const auto& [name, slot] : plan.kept)
        if (slot >= 0) read_later[static_cast<std::size_t>(slot)] = true;
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

// Autocast while it lives, https://docs.pytorch.org/docs/stable/amp.html. What the caller had set comes
// back afterwards.
class Autocast {
 public:
    explicit Autocast(const Pass& pass) : on_(pass.autocast.has_value()), device_(pass.device.type()) {
        if (!on_) return;
        enabled_ = at::autocast::is_autocast_enabled(device_);
        dtype_ = at::autocast::get_autocast_dtype(device_);
        at::autocast::set_autocast_enabled(device_, true);
        at::autocast::set_autocast_dtype(device_, *pass.autocast);
        at::autocast::increment_nesting();
    }
    ~Autocast() {
        if (!on_) return;
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(device_, enabled_);
        at::autocast::set_autocast_dtype(device_, dtype_);
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

 private:
    bool on_;
    at::DeviceType device_;
    bool enabled_ = false;
    at::ScalarType dtype_ = at::kFloat;
};
// How many elements one result may have: 2^27, a gigabyte as float64, or 1024 for each of the largest input's. (A VGG
// makes 22 of each, attention over 2304 patches 150.)
std::int64_t most_elements(std::span<const at::Tensor> inputs) {
    std::int64_t largest = 0;
    for (const at::Tensor& input : inputs) largest = std::max(largest, input.numel());
    return std::max(std::int64_t{1} << 27, 1024 * largest);
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
        plan.ready.push_back(plan.steps.size());
        return plan.slots++;
    };
    for (const Value& input : graph.inputs) new_slot(input.name);
    plan.inputs = plan.slots;
    for (const std::string& name : kept)
        if (const auto constant = constant_index.find(name); constant != constant_index.end())
            plan.kept[name] = -1 - constant->second;
    const std::int64_t opset = standard_opset(graph);
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
        plan.steps.push_back(std::move(step));
        for (const std::string& output : node.outputs) plan.steps.back().outputs.push_back(new_slot(output));
    }
    mark_last_reads(plan);
    return plan;
}

void run_step(const Step& step, const std::string& source, Run& run) {
    const std::string where = source + ": " + step.what + ": ";
    try {
        step.kernel(run);
    } catch (const Unsupported& error) {
        throw Unsupported(where + error.what());
    } catch (c10::OutOfMemoryError& error) {
        error.add_context(where);
        throw;  // as what it is: a smaller batch may do
    } catch (const c10::NotImplementedError& error) {
        throw Unsupported(where + first_line(error.what_without_backtrace()));
    } catch (const c10::Error& error) {
        throw std::runtime_error(where + first_line(error.what_without_backtrace()));
    } catch (const std::exception& error) {
        throw std::runtime_error(where + first_line(error.what()));
    }
}

std::size_t steps_until(const Plan& plan, std::span<const int> wanted) {
    std::size_t steps = 0;
    for (const int value : wanted)
        if (value >= 0) steps = std::max(steps, plan.ready[static_cast<std::size_t>(value)]);
    return steps;
}

void run_steps(const Plan& plan, std::size_t first, std::size_t last, const std::string& source,
               std::span<const at::Tensor> constants, std::span<at::Tensor> slots, const Pass& pass) {
    const Autocast autocast(pass);
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;
    for (std::size_t index = first; index < last; ++index) {
        const Step& step = plan.steps[index];
        inputs.assign(step.inputs.size(), at::Tensor());
        outputs.assign(step.outputs.size(), at::Tensor());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const int slot = step.inputs[i];
            if (slot == absent) continue;
            if (slot < 0) inputs[i] = constants[static_cast<std::size_t>(-1 - slot)];
            else if (step.dies[i]) inputs[i] = std::move(slots[static_cast<std::size_t>(slot)]);
            else inputs[i] = slots[static_cast<std::size_t>(slot)];
        }
        Run run{inputs, outputs, pass.gradients, MemoryLimit::bytes() / 8};
        run.training = pass.training;
        run.recomputed = pass.recomputed;
        run.shared_batch = pass.shared_batch;
        run_step(step, source, run);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (step.outputs[i] != absent) slots[static_cast<std::size_t>(step.outputs[i])] = std::move(outputs[i]);
    }
}

std::vector<at::Tensor> run_plan(const Plan& plan, const std::string& source, std::span<const at::Tensor> constants,
                                 std::span<const at::Tensor> given, std::span<const int> wanted, const Pass& pass) {
    const MemoryLimit limit(8 * most_elements(given));
    std::vector<at::Tensor> slots(static_cast<std::size_t>(plan.slots));
    std::copy(given.begin(), given.end(), slots.begin());
    run_steps(plan, 0, steps_until(plan, wanted), source, constants, slots, pass);
    std::vector<at::Tensor> results;
    for (const int value : wanted)
        results.push_back(value < 0 ? constants[static_cast<std::size_t>(-1 - value)]
                                    : slots[static_cast<std::size_t>(value)]);
    return results;
}

}  // namespace ouaf::graph
