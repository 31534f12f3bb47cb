// Scaled dot-product attention and rotary position embeddings.
#include <array>
#include <cmath>
#include <limits>

#include "native/graph/ops/arguments.hpp"
#include "native/graph/torch_tensor.hpp"

namespace ouaf::graph {

namespace {

using In = const at::Tensor&;

struct Attention {
    std::int64_t query_heads = 0;  // of inputs with three axes
    std::int64_t key_heads = 0;
    double scale = 0;  // 0: 1 / sqrt(head size)
    double softcap = 0;
    bool causal = false;
    std::int64_t left = -1;  // how far a query sees; -1: without bound
    std::int64_t right = -1;
    std::int64_t shown = 0;                   // what the fourth output holds, see qk_matmul_output_mode
    std::optional<at::ScalarType> precision;  // of the softmax
};

// [n, length, heads * size] -> [n, heads, length, size]; four axes stay.
at::Tensor in_heads(In x, std::int64_t heads) {
    if (x.dim() == 4) return x;
    if (heads < 1) throw std::runtime_error("inputs with three axes need q_num_heads and kv_num_heads");
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

// Which keys each query may see, as bool that broadcasts to [n, heads, queries, keys]; undefined: all of them.
at::Tensor visible(const Attention& attention, const Run& run, std::int64_t queries, std::int64_t keys,
                   std::int64_t past) {
    const auto options = run.inputs[0].options().dtype(at::kLong).requires_grad(false);
    const at::Tensor key = at::arange(keys, options);
    at::Tensor offset = at::full({1, 1, 1, 1}, past, options);
    at::Tensor seen;
    const auto add = [&](In allowed) { seen = seen.defined() ? seen.logical_and(allowed) : allowed; };
    if (run.has_input(6)) {
        const at::Tensor valid = run.inputs[6].to(at::kLong).reshape({-1, 1, 1, 1});
        add(key < valid);
        offset = valid - queries;
    }
    const at::Tensor query = at::arange(queries, options).unsqueeze(1) + offset;
    if (attention.causal) add(key <= query);
    if (attention.left >= 0) add(key >= query - attention.left);
    if (attention.right >= 0) add(key <= query + attention.right);
    return seen;
}

void attend(const Attention& attention, Run& run) {
    const bool three_axes = run.inputs[0].dim() == 3;
    at::Tensor query = in_heads(run.inputs[0], attention.query_heads);
    const auto type = query.scalar_type();
    at::Tensor key = in_heads(run.inputs[1], attention.key_heads);
    at::Tensor value = in_heads(run.inputs[2], attention.key_heads);
    std::int64_t past = 0;
    if (run.has_input(4) && run.has_input(5)) {
        past = run.inputs[4].size(2);
        key = at::cat({run.inputs[4], key}, 2);
        value = at::cat({run.inputs[5], value}, 2);
    }
    if (run.outputs.size() > 1) run.outputs[1] = key;
    if (run.outputs.size() > 2) run.outputs[2] = value;
    const std::int64_t shared = query.size(1) / std::max<std::int64_t>(key.size(1), 1);
    if (shared > 1) {  // each key head serves several query heads
        key = key.repeat_interleave(shared, 1);
        value = value.repeat_interleave(shared, 1);
    }
    const std::int64_t keys = key.size(2);
    // Half types are rounded once, at the end.
    if (run.outputs.size() <= 3 && (type == at::kHalf || type == at::kBFloat16)) {
        query = query.to(at::kFloat);
        key = key.to(at::kFloat);
        value = value.to(at::kFloat);
    }
    const double scale = attention.scale != 0 ? attention.scale : 1 / std::sqrt(static_cast<double>(query.size(3)));

    constexpr double infinity = std::numeric_limits<double>::infinity();
    at::Tensor bias;  // added to the scores; -infinity where a query may not look
    if (const at::Tensor seen = visible(attention, run, query.size(2), keys, past); seen.defined())
        bias = at::zeros(seen.sizes(), query.options().requires_grad(false)).masked_fill(seen.logical_not(), -infinity);
    if (run.has_input(3)) {
        at::Tensor mask = run.inputs[3];
        if (mask.scalar_type() == at::kBool)
            mask = at::zeros(mask.sizes(), query.options().requires_grad(false))
                       .masked_fill(mask.logical_not(), -infinity);
        if (mask.size(-1) < keys && mask.size(-1) != 1)
            mask = at::constant_pad_nd(mask, {0, keys - mask.size(-1)}, -infinity);
        bias = bias.defined() ? bias + mask : mask;
    }

    const bool shows = run.outputs.size() > 3;
    at::Tensor result;
    if (!shows && attention.softcap == 0 && !bias.defined() && !attention.precision) {
        result = at::scaled_dot_product_attention(query, key, value, std::nullopt, 0, false, scale);
    } else {
        const double root = std::sqrt(scale);
        at::Tensor scores = at::matmul(query * root, (key * root).transpose(2, 3));
        std::array<at::Tensor, 4> stages;
        stages[0] = scores;
        if (attention.softcap > 0) scores = at::tanh(scores / attention.softcap) * attention.softcap;
        stages[1] = scores;
        if (bias.defined()) scores = scores + bias;
        stages[2] = scores;
        at::Tensor weights = at::softmax(scores.to(attention.precision.value_or(scores.scalar_type())), -1);
        // A row that may look nowhere has no softmax: it is zero.
        if (bias.defined()) weights = weights.masked_fill((scores == -infinity).all(-1, true), 0);
        stages[3] = weights = weights.to(query.scalar_type());
        result = at::matmul(weights, value);
        if (shows) run.outputs[3] = stages.at(static_cast<std::size_t>(attention.shown));
    }
    result = result.to(type);
    run.outputs[0] = three_axes ? result.transpose(1, 2).reshape({result.size(0), result.size(2), -1}) : result;
}

Kernel attention(const Build& build) {
    Attention asked;
    asked.query_heads = build.attribute<std::int64_t>("q_num_heads", 0);
    asked.key_heads = build.attribute<std::int64_t>("kv_num_heads", 0);
    asked.scale = build.attribute("scale", 0.0f);
    asked.softcap = build.attribute("softcap", 0.0f);
    asked.causal = build.attribute<std::int64_t>("is_causal", 0) != 0;
    asked.left = build.attribute<std::int64_t>("left_window_size", -1);
    asked.right = build.attribute<std::int64_t>("right_window_size", -1);
    asked.shown = build.attribute<std::int64_t>("qk_matmul_output_mode", 0);
    if (asked.shown < 0 || asked.shown > 3) build.fail("qk_matmul_output_mode is " + std::to_string(asked.shown));
    if (const auto* code = find_attribute<std::int64_t>(build.node, "softmax_precision")) {
        asked.precision = scalar_type(*code);
        if (!asked.precision) build.unsupported("softmax_precision " + std::to_string(*code) + " is not supported");
    }
    return [asked](Run& run) { attend(asked, run); };
}

// Each pair of a head's values is turned by the angle of its position. X is [n, heads, length, size] or
// [n, length, heads * size].
Kernel rotary_embedding(const Build& build) {
    const auto heads = build.attribute<std::int64_t>("num_heads", 0);
    const auto asked = build.attribute<std::int64_t>("rotary_embedding_dim", 0);
    const bool interleaved = build.attribute<std::int64_t>("interleaved", 0) != 0;
    return [heads, asked, interleaved](Run& run) {
        const at::Tensor x = in_heads(run.inputs[0], heads);
        const std::int64_t turned = asked > 0 ? asked : x.size(3);
        const auto angles = [&](In cache) {
            if (!run.has_input(3)) return cache.unsqueeze(1);
            return cache.index_select(0, run.inputs[3].reshape(-1))
                .reshape({run.inputs[3].size(0), run.inputs[3].size(1), -1})
                .unsqueeze(1);
        };
        const at::Tensor cosine = angles(run.inputs[1]);  // [n, 1, length, turned / 2]
        const at::Tensor sine = angles(run.inputs[2]);
        const at::Tensor part = x.narrow(3, 0, turned);
        const at::Tensor a = interleaved ? part.slice(3, 0, turned, 2) : part.narrow(3, 0, turned / 2);
        const at::Tensor b = interleaved ? part.slice(3, 1, turned, 2) : part.narrow(3, turned / 2, turned / 2);
        const at::Tensor real = cosine * a - sine * b;
        const at::Tensor imaginary = sine * a + cosine * b;
        at::Tensor y =
            interleaved ? at::stack({real, imaginary}, -1).reshape(part.sizes()) : at::cat({real, imaginary}, 3);
        if (turned < x.size(3)) y = at::cat({y, x.narrow(3, turned, x.size(3) - turned)}, 3);
        run.outputs[0] = run.inputs[0].dim() == 3 ? y.transpose(1, 2).reshape(run.inputs[0].sizes()) : y;
    };
}

}  // namespace

std::span<const Op> attention_ops() {
    static constexpr std::array rows{
        Op{.name = "Attention", .since = 23, .build = attention},
        Op{.name = "RotaryEmbedding", .since = 23, .build = rotary_embedding},
    };
    return rows;
}

}  // namespace ouaf::graph
