// LSTM, which networks that read rows and columns of an image as sequences have (Sequencer,
// https://arxiv.org/abs/2205.01972).
#include <array>

#include "native/graph/ops/arguments.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

// ONNX stacks the gates' rows as input, output, forget, cell; LibTorch as input, forget, cell, output.
at::Tensor in_torch_order(In rows) {
    const auto gates = rows.chunk(4);
    return at::cat({gates[0], gates[2], gates[3], gates[1]});
}

void refuse_variants(const Build& build) {
    static constexpr std::array activations{"Sigmoid", "Tanh", "Tanh"};
    const auto given = build.attribute<std::vector<std::string>>("activations", {});
    for (std::size_t i = 0; i < given.size(); ++i)
        if (given[i] != activations.at(i % 3)) build.unsupported("the activation " + given[i] + " is not supported");
    if (build.attribute<std::int64_t>("input_forget", 0) != 0) build.unsupported("input_forget is not supported");
    if (build.attribute("clip", 0.0f) != 0) build.unsupported("clip is not supported");
    if (build.has_input(4)) build.unsupported("sequence_lens is not supported");
    if (build.has_input(7)) build.unsupported("peepholes are not supported");
}

// X [steps, batch, size], W [directions, 4 hidden, size], R [directions, 4 hidden, hidden], B [directions, 8 hidden],
// initial_h and initial_c [directions, batch, hidden] -> Y [steps, directions, batch, hidden], Y_h and Y_c as
// initial_h. With layout 1 the batch stands first in all of them.
Kernel lstm(const Build& build) {
    refuse_variants(build);
    const auto direction = build.attribute<std::string>("direction", "forward");
    const bool batch_first = build.attribute<std::int64_t>("layout", 0) != 0;
    const bool reverse = direction == "reverse";
    const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
    return [=](Run& run) {
        check_rank(run.inputs[0], 3, "the input");
        const auto in_order = [&](In x) { return batch_first ? x.transpose(0, 1) : x; };
        const at::Tensor sequence = in_order(run.inputs[0]);
        const at::Tensor x = reverse ? sequence.flip(0) : sequence;
        check_rank(run.inputs[2], 3, "the recurrent weight");
        const bool has_bias = run.has_input(3);
        const std::int64_t hidden = run.inputs[2].size(2);
        if (hidden == 0) throw std::runtime_error("the recurrent weight has no states");
        check_size(run, {x.size(0), directions, x.size(1), hidden});
        const auto expect = [&](std::size_t i, at::IntArrayRef sizes, const char* what) {
            if (run.has_input(i) && run.inputs[i].sizes() != sizes)
                throw std::runtime_error(std::string(what) + " has other sizes than its gates, directions and states");
        };
        expect(1, {directions, 4 * hidden, x.size(2)}, "the weight");
        expect(2, {directions, 4 * hidden, hidden}, "the recurrent weight");
        expect(3, {directions, 8 * hidden}, "the bias");
        for (const std::size_t i : {5, 6}) {
            if (batch_first) expect(i, {x.size(1), directions, hidden}, "a first state");
            else expect(i, {directions, x.size(1), hidden}, "a first state");
        }
        std::vector<at::Tensor> weights;
        for (std::int64_t d = 0; d < directions; ++d) {
            weights.push_back(in_torch_order(run.inputs[1][d]));
            weights.push_back(in_torch_order(run.inputs[2][d]));
            if (!has_bias) continue;
            for (const at::Tensor& half : run.inputs[3][d].chunk(2)) weights.push_back(in_torch_order(half));
        }
        const auto state = [&](std::size_t i) {
            if (run.has_input(i)) return in_order(run.inputs[i]).contiguous();
            return at::zeros({directions, x.size(1), hidden}, x.options());
        };
        const auto [y, last, cell] =
            at::lstm(x, {state(5), state(6)}, weights, has_bias, 1, 0, false, directions == 2, false);
        const at::Tensor steps = reverse ? y.flip(0) : y;
        const at::Tensor by_direction = steps.reshape({x.size(0), x.size(1), directions, hidden});
        run.outputs[0] = batch_first ? by_direction.transpose(0, 1) : by_direction.transpose(1, 2);
        if (run.outputs.size() > 1) run.outputs[1] = in_order(last);
        if (run.outputs.size() > 2) run.outputs[2] = in_order(cell);
    };
}

}  // namespace

std::span<const Op> recurrent_ops() {
    static constexpr std::array rows{Op{.name = "LSTM", .trainable = inputs(1, 2, 3), .build = lstm}};
    return rows;
}

}  // namespace ouaf::graph
