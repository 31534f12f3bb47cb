// See layers.hpp.
#include "native/graph/builders/layers.hpp"

namespace ouaf::graph::builders {

namespace {

using Ints = std::vector<std::int64_t>;

[[noreturn]] void refuse(const Layers& layers, const std::string& what) {
    throw std::runtime_error(layers.layout.name + ": " + what);
}

// A node with one output, called like the node; without a name, by its number.
Activation add_node(Layers& layers, const std::string& op, std::string name, std::vector<std::string> inputs,
                    std::map<std::string, Attribute> attributes, Dims dims) {
    if (name.empty()) name = op + "_" + std::to_string(layers.layout.nodes.size());
    layers.layout.nodes.push_back({op, "", name, std::move(inputs), {name}, std::move(attributes)});
    return {name, std::move(dims)};
}

std::string add_weight(Layers& layers, const std::string& name, const Dims& dims, const Start& start,
                       Role role = Role::trainable) {
    layers.layout.weights.push_back({name, dims, role, start});
    return name;
}

std::string add_scalar(Layers& layers, const std::string& name, float value) {
    layers.layout.constants[name] = make_tensor({}, std::span<const float>(&value, 1));
    return name;
}

Activation map(Layers& layers, const std::string& op, const Activation& x) {
    return add_node(layers, op, "", {x.name}, {}, x.dims);
}

// The height or width after windows of one axis.
std::int64_t size_after(const Layers& layers, const std::string& what, std::int64_t size, std::int64_t kernel,
                        std::int64_t stride, Padding padding) {
    if (padding == Padding::same) return (size + stride - 1) / stride;
    const std::int64_t padded = size + (padding == Padding::centred ? kernel / 2 * 2 : 0);
    if (padded < kernel)
        refuse(layers, "the input is too small: " + what + " lays a window of " + std::to_string(kernel) + " over " +
                           std::to_string(padded) + " pixels");
    return (padded - kernel) / stride + 1;
}

// The attributes that Conv and the pools share, and the dims after.
std::map<std::string, Attribute> window_attributes(Window kernel, std::int64_t stride, Padding padding) {
    std::map<std::string, Attribute> attributes{{"kernel_shape", Ints{kernel.height, kernel.width}},
                                                {"strides", Ints{stride, stride}}};
    const bool odd = kernel.height % 2 == 1 && kernel.width % 2 == 1;
    if (padding == Padding::same && !(stride == 1 && odd)) {
        attributes["auto_pad"] = std::string("SAME_UPPER");
    } else if (padding != Padding::valid) {
        const std::int64_t above = kernel.height / 2;
        const std::int64_t left = kernel.width / 2;
        attributes["pads"] = Ints{above, left, above, left};
    }
    return attributes;
}

Activation pool_layer(Layers& layers, const std::string& op, const Activation& x, const Pool& pool) {
    auto attributes = window_attributes({pool.size, pool.size}, pool.stride, pool.padding);
    if (pool.counts_padding) attributes["count_include_pad"] = std::int64_t{1};
    const auto after = [&](std::int64_t size) {
        return size_after(layers, "a pool", size, pool.size, pool.stride, pool.padding);
    };
    return add_node(layers, op, "", {x.name}, std::move(attributes),
                    {x.dims.at(0), after(x.dims.at(1)), after(x.dims.at(2))});
}

}  // namespace

Layers::Layers(const std::string& name, const Dims& input_dims) : input{"input", input_dims} {
    layout.name = name;
    for (const std::int64_t dim : input_dims)
        if (dim < 1) refuse(*this, "the input has a size of " + std::to_string(dim));
}

Activation convolution(Layers& layers, const std::string& name, const Activation& x, const Convolution& settings) {
    const auto& [filters, kernel, stride, groups, padding, bias, start] = settings;
    const std::int64_t channels = x.dims.at(0);
    if (filters < 1 || groups < 1 || channels % groups != 0 || filters % groups != 0)
        refuse(layers, name + " has " + std::to_string(channels) + " channels, " + std::to_string(filters) +
                           " filters and " + std::to_string(groups) + " groups");
    const std::int64_t area = kernel.height * kernel.width;
    const Fans fans{channels / groups * area, filters / groups * area};
    const Dims dims{filters, channels / groups, kernel.height, kernel.width};
    std::vector<std::string> inputs{
        x.name, add_weight(layers, name + ".weight", dims, (start ? start : layers.convolution_start)(fans))};
    if (bias) inputs.push_back(add_weight(layers, name + ".bias", {filters}, {}));
    auto attributes = window_attributes(kernel, stride, padding);
    if (groups != 1) attributes["group"] = groups;
    const std::int64_t height = size_after(layers, name, x.dims.at(1), kernel.height, stride, padding);
    const std::int64_t width = size_after(layers, name, x.dims.at(2), kernel.width, stride, padding);
    return add_node(layers, "Conv", name, std::move(inputs), std::move(attributes), {filters, height, width});
}

Activation batch_norm(Layers& layers, const std::string& name, const Activation& x, double gamma) {
    const Dims channels{x.dims.at(0)};
    const auto constant = [](double value) { return Start{Start::Kind::constant, value}; };
    const std::vector<std::string> inputs{
        x.name,
        add_weight(layers, name + ".weight", channels, constant(gamma)),
        add_weight(layers, name + ".bias", channels, constant(0)),
        add_weight(layers, name + ".running_mean", channels, constant(0), Role::statistic),
        add_weight(layers, name + ".running_var", channels, constant(1), Role::statistic),
    };
    return add_node(layers, "BatchNormalization", name, inputs,
                    {{"epsilon", layers.norm.epsilon}, {"momentum", layers.norm.momentum}}, x.dims);
}

Activation dense(Layers& layers, const std::string& name, const Activation& x, std::int64_t units, Rule start) {
    if (x.dims.size() != 1) refuse(layers, name + " needs flat features");
    if (units < 1) refuse(layers, name + " has " + std::to_string(units) + " units");
    const Fans fans{x.dims[0], units};
    const std::string weight =
        add_weight(layers, name + ".weight", {units, x.dims[0]}, (start ? start : layers.dense_start)(fans));
    const std::string bias = add_weight(layers, name + ".bias", {units}, {});
    return add_node(layers, "Gemm", name, {x.name, weight, bias}, {{"transB", std::int64_t{1}}}, {units});
}

Activation max_pool(Layers& layers, const Activation& x, const Pool& pool) {
    return pool_layer(layers, "MaxPool", x, pool);
}

Activation average_pool(Layers& layers, const Activation& x, const Pool& pool) {
    return pool_layer(layers, "AveragePool", x, pool);
}

Activation global_average_pool(Layers& layers, const Activation& x) {
    return add_node(layers, "GlobalAveragePool", "", {x.name}, {}, {x.dims.at(0), 1, 1});
}

Activation flatten(Layers& layers, const Activation& x) {
    const bool pooled = x.dims.size() == 3 && x.dims[1] == 1 && x.dims[2] == 1 && !layers.layout.nodes.empty() &&
                        layers.layout.nodes.back().op == "GlobalAveragePool";
    if (!pooled) layers.any_size = false;
    return add_node(layers, "Flatten", "", {x.name}, {}, {element_count(x.dims)});
}

Activation relu(Layers& layers, const Activation& x) { return map(layers, "Relu", x); }
Activation sigmoid(Layers& layers, const Activation& x) { return map(layers, "Sigmoid", x); }
Activation swish(Layers& layers, const Activation& x) { return multiply(layers, x, sigmoid(layers, x)); }

Activation relu6(Layers& layers, const Activation& x) {
    const std::string low = add_scalar(layers, "relu6.low", 0);
    const std::string high = add_scalar(layers, "relu6.high", 6);
    return add_node(layers, "Clip", "", {x.name, low, high}, {}, x.dims);
}

Activation add(Layers& layers, const Activation& a, const Activation& b) {
    if (a.dims != b.dims) refuse(layers, "the sum of '" + a.name + "' and '" + b.name + "' has two shapes");
    return add_node(layers, "Add", "", {a.name, b.name}, {}, a.dims);
}

Activation multiply(Layers& layers, const Activation& a, const Activation& b) {
    return add_node(layers, "Mul", "", {a.name, b.name}, {}, a.dims);
}

Activation scale(Layers& layers, const Activation& x, float factor) {
    const std::string name = "scale_" + std::to_string(layers.layout.nodes.size());
    return add_node(layers, "Mul", "", {x.name, add_scalar(layers, name, factor)}, {}, x.dims);
}

Activation concatenate(Layers& layers, const std::vector<Activation>& parts) {
    std::vector<std::string> names;
    Dims dims = parts.at(0).dims;
    dims[0] = 0;
    for (const Activation& part : parts) {
        if (part.dims.size() != dims.size() || !std::equal(dims.begin() + 1, dims.end(), part.dims.begin() + 1))
            refuse(layers, "'" + part.name + "' has another height or width than what it is joined to");
        names.push_back(part.name);
        dims[0] += part.dims[0];
    }
    return add_node(layers, "Concat", "", std::move(names), {{"axis", std::int64_t{1}}}, dims);
}

Activation dropout(Layers& layers, const Activation& x, float ratio) {
    if (ratio == 0) return x;
    if (!(ratio > 0 && ratio < 1)) refuse(layers, "dropout is " + std::to_string(ratio) + "; it is in [0, 1)");
    const std::string name = "dropout_" + std::to_string(layers.layout.nodes.size()) + ".ratio";
    return add_node(layers, "Dropout", "", {x.name, add_scalar(layers, name, ratio)}, {}, x.dims);
}

Activation classify(Layers& layers, const std::string& name, const Activation& x, float dropout_ratio,
                    std::int64_t classes, Rule start) {
    const Activation features = flatten(layers, global_average_pool(layers, x));
    return dense(layers, name, dropout(layers, features, dropout_ratio), classes, start);
}

Layout finish(Layers layers, const std::vector<Activation>& outputs) {
    Value input{layers.input.name, DType::float32, true, {std::string("batch")}};
    for (const std::int64_t dim : layers.input.dims) input.dims.emplace_back(dim);
    if (layers.any_size && input.dims.size() == 4) {
        input.dims[2] = std::string("height");
        input.dims[3] = std::string("width");
    }
    layers.layout.inputs = {input};
    for (const Activation& output : outputs) {
        Value value{output.name, DType::float32, true, {std::string("batch")}};
        for (const std::int64_t dim : output.dims) value.dims.emplace_back(dim);
        layers.layout.outputs.push_back(std::move(value));
    }
    return std::move(layers.layout);
}

}  // namespace ouaf::graph::builders
