// See checkpoint.hpp. The only file that needs LibTorch's autograd headers.
#include "native/graph/checkpoint.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <unordered_set>

namespace ouaf::graph {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// For each slot: one past the last step that reads it; kept slots are read at the end.
std::vector<std::size_t> read_until(const Plan& plan, std::size_t steps) {
    std::vector<std::size_t> until(static_cast<std::size_t>(plan.slots), 0);
    for (std::size_t index = 0; index < steps; ++index)
        for (const int slot : plan.steps[index].inputs)
            if (slot >= 0 && slot != absent) until[static_cast<std::size_t>(slot)] = index + 1;
    for (const auto& [name, slot] : plan.kept)
        if (slot >= 0) until[static_cast<std::size_t>(slot)] = std::numeric_limits<std::size_t>::max();
    return until;
}

// Steps that run together, with all that it takes to run them again. Gradients flow to `reads` and `trained`.
struct Segment : torch::CustomClassHolder {
    std::shared_ptr<const Plan> plan;
    std::string source;
    std::shared_ptr<const std::vector<at::Tensor>> constants;
    Pass pass;
    std::size_t first = 0;
    std::size_t last = 0;              // one past
    std::vector<int> reads;            // slots that are made before
    std::vector<std::size_t> trained;  // constants that require a gradient
    std::vector<int> writes;           // slots that are read afterwards
    at::Tensor random_state;           // of the device, before the first run

    // inputs: the values of `reads`, then of `trained`. Gives those of `writes`.
    variable_list run(const variable_list& inputs, bool recomputed) const {
        std::vector<at::Tensor> slots(static_cast<std::size_t>(plan->slots));
        std::vector<at::Tensor> values = *constants;
        for (std::size_t i = 0; i < reads.size(); ++i) slots[static_cast<std::size_t>(reads[i])] = inputs[i];
        for (std::size_t i = 0; i < trained.size(); ++i) values[trained[i]] = inputs[reads.size() + i];
        Pass again = pass;
        again.recomputed = recomputed;
        run_steps(*plan, first, last, source, values, slots, again);
        variable_list outputs;
        for (const int slot : writes) outputs.push_back(slots[static_cast<std::size_t>(slot)]);
        return outputs;
    }
};

at::Tensor random_state(const Pass& pass) {
    at::Generator source = at::globalContext().defaultGenerator(pass.device);
    const std::scoped_lock lock(source.mutex());
    return source.get_state();
}

void set_random_state(const Pass& pass, const at::Tensor& state) {
    at::Generator source = at::globalContext().defaultGenerator(pass.device);
    const std::scoped_lock lock(source.mutex());
    source.set_state(state);
}

// The device draws as it did in the first run while this lives, then goes on from where it was.
class SameDraws {
 public:
    explicit SameDraws(const Segment& segment) : pass_(segment.pass), now_(random_state(pass_)) {
        set_random_state(pass_, segment.random_state);
    }
    ~SameDraws() { set_random_state(pass_, now_); }
    SameDraws(const SameDraws&) = delete;
    SameDraws& operator=(const SameDraws&) = delete;

 private:
    Pass pass_;
    at::Tensor now_;
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
    static variable_list forward(AutogradContext* context, const c10::intrusive_ptr<Segment>& segment,
                                 at::TensorList given) {
        const variable_list inputs = given.vec();
        context->set_materialize_grads(false);
        context->save_for_backward(inputs);
        context->saved_data["segment"] = at::IValue::make_capsule(segment);
        return segment->run(inputs, /*recomputed=*/false);
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto segment = c10::static_intrusive_pointer_cast<Segment>(context->saved_data.at("segment").toCapsule());
        variable_list inputs;
        variable_list wanted;
        for (const at::Tensor& saved : context->get_saved_variables()) {
            inputs.push_back(saved.detach());
            if (!saved.requires_grad()) continue;
            inputs.back().requires_grad_(true);
            wanted.push_back(inputs.back());
        }
        variable_list outputs;
        variable_list output_gradients;
        {
            const SameDraws same_draws(*segment);
            const at::AutoGradMode record(true);
            const variable_list all = segment->run(inputs, /*recomputed=*/true);
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (!gradients[i].defined() || !all[i].requires_grad()) continue;
                outputs.push_back(all[i]);
                output_gradients.push_back(gradients[i]);
            }
        }
        variable_list results(1 + inputs.size());  // the first is the segment's
        if (outputs.empty()) return results;
        const variable_list found = torch::autograd::grad(outputs, wanted, output_gradients, /*retain_graph=*/false,
                                                          /*create_graph=*/false, /*allow_unused=*/true);
        for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
            if (inputs[i].requires_grad()) results[i + 1] = found[next++];
        return results;
    }
};

}  // namespace

std::vector<std::size_t> checkpoints(const Plan& plan, std::size_t steps) {
    // How many values live across the cut before each step.
    std::vector<int> change(steps + 1, 0);
    const auto until = read_until(plan, steps);
    for (std::size_t slot = 0; slot < until.size(); ++slot) {
        const std::size_t made = plan.ready[slot];
        const std::size_t end = std::min(until[slot], steps);
        if (made >= end) continue;
        ++change[made];
        --change[end];
    }
    std::vector<int> live;
    for (const int by : change) live.push_back((live.empty() ? 0 : live.back()) + by);

    const auto segments = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(steps))));
    std::vector<std::size_t> cuts;
    for (std::size_t k = 1; k < segments; ++k) {
        const std::size_t centre = k * steps / segments;
        const std::size_t from = (2 * k - 1) * steps / (2 * segments) + 1;
        const std::size_t to = (2 * k + 1) * steps / (2 * segments) + 1;
        const auto distance = [&](std::size_t cut) { return cut > centre ? cut - centre : centre - cut; };
        std::size_t best = centre;
        for (std::size_t cut = from; cut < std::min(to, steps); ++cut)
            if (std::pair(live[cut], distance(cut)) < std::pair(live[best], distance(best))) best = cut;
        if (best > 0 && (cuts.empty() || best > cuts.back())) cuts.push_back(best);
    }
    return cuts;
}

std::vector<at::Tensor> run_checkpointed(const std::shared_ptr<const Plan>& plan, const std::string& source,
                                         std::span<const at::Tensor> constants, std::span<const at::Tensor> given,
                                         std::span<const int> wanted, const Pass& pass) {
    const std::size_t steps = steps_until(*plan, wanted);
    const auto until = read_until(*plan, steps);
    const auto shared = std::make_shared<const std::vector<at::Tensor>>(constants.begin(), constants.end());
    std::vector<at::Tensor> slots(static_cast<std::size_t>(plan->slots));
    std::copy(given.begin(), given.end(), slots.begin());
    std::size_t first = 0;
    for (const std::size_t cut : checkpoints(*plan, steps)) {
        auto segment = c10::make_intrusive<Segment>();
        segment->plan = plan;
        segment->source = source;
        segment->constants = shared;
        segment->pass = pass;
        segment->first = first;
        segment->last = cut;
        segment->random_state = random_state(pass);
        variable_list inputs;
        std::unordered_set<int> seen{absent};
        for (std::size_t index = first; index < cut; ++index)
            for (const int slot : plan->steps[index].inputs)
                if (slot >= 0 && seen.insert(slot).second && plan->ready[static_cast<std::size_t>(slot)] <= first &&
                    slots[static_cast<std::size_t>(slot)].defined()) {
                    segment->reads.push_back(slot);
                    inputs.push_back(slots[static_cast<std::size_t>(slot)]);
                }
        for (std::size_t index = first; index < cut; ++index)
            for (const int slot : plan->steps[index].inputs)
                if (slot < 0 && seen.insert(slot).second) {
                    const auto constant = static_cast<std::size_t>(-1 - slot);
                    if (!constants[constant].requires_grad()) continue;
                    segment->trained.push_back(constant);
                    inputs.push_back(constants[constant]);
                }
        for (std::size_t index = first; index < cut; ++index)
            for (const int slot : plan->steps[index].outputs)
                if (slot != absent && until[static_cast<std::size_t>(slot)] > cut) segment->writes.push_back(slot);
        const variable_list outputs = Checkpoint::apply(segment, at::TensorList(inputs));
        for (std::size_t i = 0; i < outputs.size(); ++i)
            slots[static_cast<std::size_t>(segment->writes[i])] = outputs[i];
        for (const int slot : segment->reads)
            if (until[static_cast<std::size_t>(slot)] <= cut) slots[static_cast<std::size_t>(slot)].reset();
        first = cut;
    }
    // Its gradients are due first: running it twice would save nothing.
    run_steps(*plan, first, steps, source, constants, slots, pass);
    std::vector<at::Tensor> results;
    for (const int value : wanted)
        results.push_back(value < 0 ? constants[static_cast<std::size_t>(-1 - value)]
                                    : slots[static_cast<std::size_t>(value)]);
    return results;
}

}  // namespace ouaf::graph
