"""Exports networks that Keras users write to ONNX, with reference logits, loss and gradients, for `ouaf verify`.

    export_keras.py OUT --exporter keras --opset 13 ResNet50 MobileNetV2 …
    OUAF_BINARY=… export_keras.py OUT --table

Exporters: keras   Keras 3 on TensorFlow, model.export(format="onnx"), which is tf2onnx
           keras2  Keras 2 (tf_keras) through tf2onnx.convert.from_keras
           torch   Keras 3 on PyTorch, model.export(format="onnx"); with --batch any by the older TorchScript exporter

Writes OUT/<exporter>-<opset>-<name>/ in the layout of ONNX's test data: model.onnx and test_data_set_0/ with
input_<k>.pb, output_0.pb, and for logits target_0.pb (int64 classes), loss_0.pb (mean cross-entropy) and
gradient_<k>.pb, each named after an initializer of the file. Weights are random with a fixed seed; batch norms get the
statistics of a random batch, so that activations keep a sane scale. Needs tensorflow and tf2onnx, and tf_keras for
keras2, or torch and onnxscript for torch."""
import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

import keras_models

CLASSES = np.array([3, 7], np.int64)


def load_keras(exporter):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "torch" if exporter == "torch" else "tensorflow"
    if exporter == "keras2":
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        import tf_keras as keras
    else:
        import keras
    return keras


def set_precision(keras, name):
    keras.backend.set_floatx(name)
    keras.mixed_precision.set_global_policy(name)


def array(x):
    x = getattr(x, "value", x)
    return x.detach().numpy() if hasattr(x, "detach") else np.asarray(x() if callable(x) else x)


def layers_of(model, kind):
    return [layer for layer in model._flatten_layers() if type(layer).__name__ == kind]


def sane_weights(model, pictures, random):
    """No two weights alike, so that each is known by its values; batch norms with the statistics of the pictures."""
    for variable in model.trainable_variables:
        if len(variable.shape) <= 1 or np.ptp(array(variable)) == 0:
            variable.assign(array(variable) + random.normal(0, 0.1, variable.shape).astype(np.float32))
    norms = layers_of(model, "BatchNormalization")
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        model(given(pictures), training=True)


def given(inputs):
    return inputs if len(inputs) > 1 else inputs[0]


def loss_and_gradients(exporter, model, inputs):
    """Logits, mean cross-entropy and its gradient for each trainable variable, in inference mode."""
    if exporter == "torch":
        import torch
        logits = model(given(inputs), training=False)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(CLASSES))
        for variable in model.trainable_variables:
            variable.value.grad = None
        loss.backward()
        gradients = [variable.value.grad for variable in model.trainable_variables]
    else:
        import tensorflow as tf
        with tf.GradientTape() as tape:
            logits = model(given(inputs), training=False)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(CLASSES, logits))
        gradients = [None if each is None else tf.convert_to_tensor(each)
                     for each in tape.gradient(loss, model.trainable_variables)]
    return array(logits), array(loss), [None if each is None else array(each) for each in gradients]


def export(exporter, keras, model, opset, batch, path):
    names = ["input"] if len(model.inputs) == 1 else [f"input_{i}" for i in range(len(model.inputs))]
    shapes = [(batch, *each.shape[1:]) for each in model.inputs]
    if exporter == "keras2":
        import tensorflow as tf
        import tf2onnx
        specs = [tf.TensorSpec(shape, tf.float32, name=name) for shape, name in zip(shapes, names)]
        tf2onnx.convert.from_keras(model, specs if len(specs) == 1 else [specs], opset=opset, output_path=path)
        return
    specs = [keras.InputSpec(shape=shape, dtype="float32", name=name) for shape, name in zip(shapes, names)]
    model.export(path, format="onnx", opset_version=opset, verbose=False,
                 input_signature=specs if len(specs) == 1 else [specs])


def source_layer(layer):
    """The layer that feeds this one."""
    node = layer._inbound_nodes[0] if getattr(layer, "_inbound_nodes", None) else None
    if node is None or not node.parent_nodes:
        return None
    parent = node.parent_nodes[0]
    return parent.operation if hasattr(parent, "operation") else parent.layer  # Keras 3, Keras 2


def by_channel(kernel, factor, layer):
    """A kernel whose output channels are scaled; Keras keeps [h, w, in, out] and variants of it."""
    kind = type(layer).__name__
    if kind == "DepthwiseConv2D":
        return kernel * factor.reshape(kernel.shape[2:])
    if kind == "Conv2DTranspose":
        return kernel * factor[:, None]
    return kernel * factor


def weights_as_exported(model, gradients, exporter):
    """[(values, gradient)]: every trainable variable, and what exporters make of a batch norm's.

    In inference a batch norm is x s + t with s = gamma r, r = 1 / sqrt(variance + epsilon), t = beta - mean s.
    Written as (x - mean) s + beta, the gradient of s is gamma's over r; written as x s + t it has mean beta's more,
    since t moves with s. Behind a layer with kernel K and bias b the norm may be folded: K s and t + b s."""
    grads = {id(variable): gradient for variable, gradient in zip(model.trainable_variables, gradients)}
    known = [(array(variable), grads[id(variable)]) for variable in model.trainable_variables]
    for norm in layers_of(model, "BatchNormalization"):
        mean, variance = array(norm.moving_mean), array(norm.moving_variance)
        r = 1 / np.sqrt(variance + norm.epsilon)
        s = array(norm.gamma) * r if norm.scale else r
        gamma_gradient = grads[id(norm.gamma)] if norm.scale else None
        beta_gradient = grads[id(norm.beta)] if norm.center else None
        t = (array(norm.beta) if norm.center else 0) - mean * s
        if gamma_gradient is not None and exporter == "torch":
            known.append((s, gamma_gradient / r))
        if beta_gradient is None:
            continue
        if gamma_gradient is not None and exporter != "torch":
            known.append((s, gamma_gradient / r + mean * beta_gradient))
        known.append((t, beta_gradient))
        layer = source_layer(norm)
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            kernel = getattr(layer, name, None)
            if kernel is not None and id(kernel) in grads and kernel.shape[-1 if name != "depthwise_kernel" else 2]:
                try:
                    known.append((by_channel(array(kernel), s, layer), by_channel(grads[id(kernel)], 1 / s, layer)))
                except ValueError:
                    pass  # a separable convolution's depthwise part: the norm acts on the other one
        if getattr(layer, "bias", None) is not None:
            known.append((t + array(layer.bias) * s, beta_gradient))
    return [(values, gradient) for values, gradient in known if gradient is not None]


def as_in_file(known, wanted):
    """What holds the same values as a constant of the file: (those values, their gradient) in the constant's axes."""
    size = np.square(wanted, dtype=float).sum()
    for values, gradient in known:
        if values.size != wanted.size or not np.isclose(np.square(values).sum(), size, rtol=1e-4):
            continue
        for order in itertools.permutations(range(values.ndim)):
            if np.allclose(values.transpose(order).reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5):
                return tuple(each.transpose(order).reshape(wanted.shape) for each in (values, gradient))
    return None


def constants(graph):
    """Where the file may hold weights: floating initializers and values of Constant nodes, but for the scales of a
    Resize, which stay in single precision, and what only Shape reads. [(name, TensorProto)]"""
    read = {name for node in graph.node if node.op_type != "Shape" for name in node.input}
    scales = {name for node in graph.node if node.op_type in ("Resize", "Upsample") for name in node.input[1:]}
    inside = [(node.output[0], attribute.t) for node in graph.node if node.op_type == "Constant"
              for attribute in node.attribute if attribute.name == "value"]
    return [(name, tensor) for name, tensor in [(each.name, each) for each in graph.initializer] + inside
            if tensor.data_type == onnx.TensorProto.FLOAT and name in read - scales]


def widened(file, exact):
    """The file in double precision, with the exact values of the weights where they are known."""
    wide = onnx.ModelProto()
    wide.CopyFrom(file)
    for name, tensor in constants(wide.graph):
        values = exact.get(name, numpy_helper.to_array(tensor)).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for value in [*wide.graph.input, *wide.graph.output]:
        value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    del wide.graph.value_info[:]
    for node in wide.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == onnx.TensorProto.FLOAT:
                attribute.i = onnx.TensorProto.DOUBLE
            if node.op_type == "ConstantOfShape" and attribute.t.data_type == onnx.TensorProto.FLOAT:
                attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t).astype(np.float64)))
    return wide


def write_case(folder, file, inputs, logits, loss, gradients):
    """ONNX's test layout; loss is None for a network that ends in probabilities."""
    data = os.path.join(folder, "test_data_set_0")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(data)
    onnx.save(file, os.path.join(folder, "model.onnx"))
    dtype = onnx.helper.tensor_dtype_to_np_dtype(file.graph.input[0].type.tensor_type.elem_type)
    tensors = [(f"input_{i}", each.astype(dtype), file.graph.input[i].name) for i, each in enumerate(inputs)]
    tensors.append(("output_0", logits.astype(dtype), file.graph.output[0].name))
    if loss is not None:
        tensors += [("target_0", CLASSES, "target"), ("loss_0", loss.astype(dtype), "loss")]
    tensors += [(f"gradient_{i}", each.astype(dtype), name) for i, (name, each) in enumerate(gradients.items())]
    for stem, values, name in tensors:
        with open(os.path.join(data, stem + ".pb"), "wb") as out:
            out.write(numpy_helper.from_array(np.ascontiguousarray(values), name).SerializeToString())


def relative_difference(gradients, exact):
    """The largest norm of a difference over the gradient's own; ones that are next to nothing count less."""
    floor = 1e-3 * max(map(np.linalg.norm, exact))
    return max(np.linalg.norm(a - b) / max(np.linalg.norm(b), floor) for a, b in zip(gradients, exact))


def export_case(keras, exporter, opset, batch, name, folder):
    """Writes folder; its gradients go to folder-double where they say little in single precision.

    With ReLUs and maxima a gradient jumps where a unit crosses zero. Where the rounding of Keras' own single precision,
    or pictures changed by 1e-5 of each pixel, move a gradient by 3e-4 or more, two right programs may differ by more
    than the 1e-3 that `ouaf verify` allows; the file in double precision decides there."""
    set_precision(keras, "float32")
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(1)
    model = keras_models.build(keras, name)
    takes_pixels = bool(layers_of(model, "Rescaling"))
    scale, shift = (255, 0) if takes_pixels else (2, -1)

    def pictures(count, dtype=np.float32):
        return [(random.random((count, *each.shape[1:])) * scale + shift).astype(dtype) for each in model.inputs]

    sane_weights(model, pictures(8), random)
    inputs = pictures(2)
    set_precision(keras, "float64")
    exact = keras_models.build(keras, name)
    exact.set_weights(model.get_weights())
    set_precision(keras, "float32")
    wide = [each.astype(np.float64) for each in inputs]
    logits, loss, gradients = loss_and_gradients(exporter, exact, wide)
    others = [loss_and_gradients(exporter, model, inputs)[2]]
    for _ in range(2):
        near = [each * (1 + random.normal(0, 1e-5, each.shape)) for each in wide]
        others.append(loss_and_gradients(exporter, exact, near)[2])
    noise = max(relative_difference(each, gradients) for each in others)

    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "model.onnx")
        export(exporter, keras, model, opset, batch, path)
        file = onnx.load(path)
    probabilities = name.endswith("_softmax")
    known = weights_as_exported(exact, gradients, exporter)
    fixed = [(array(variable), array(variable)) for variable in exact.non_trainable_variables]
    weights = [(weight, numpy_helper.to_array(tensor)) for weight, tensor in constants(file.graph)]
    found = {weight: as_in_file(known, values) for weight, values in weights
             if values.size > 1 and not as_in_file(fixed, values)}
    matched = {weight: pair for weight, pair in found.items() if pair and not probabilities}
    exact_values = {weight: pair[0] for weight, pair in matched.items()}
    exact_gradients = {weight: pair[1] for weight, pair in matched.items()}
    stable = noise < 3e-4
    write_case(folder, file, inputs, logits, None if probabilities else loss, exact_gradients if stable else {})
    if not stable and not probabilities:
        write_case(folder + "-double", widened(file, exact_values), inputs, logits, loss, exact_gradients)
    counts = {"exporter": exporter, "network": name, "batch": batch or "any",
              "opset": next(each.version for each in file.opset_import if each.domain in ("", "ai.onnx")),
              "gradients": len(matched), "weights": 0 if probabilities else len(found), "noise": float(noise)}
    with open(os.path.join(folder, "case.json"), "w") as report:
        json.dump(counts, report)
    missed = [weight for weight, pair in found.items() if not pair]
    print(f"{os.path.basename(folder)}: logits std {logits.std():.3f}, gradients {len(matched)} of {len(found)}, "
          f"noise {noise:.1e} {missed[:4]}", flush=True)


def verdict(folder):
    """What `ouaf verify` says of a case: ("ok" or its line, whether the gradients were compared in double precision)."""
    folders = [each for each in (folder, folder + "-double") if os.path.isdir(each)]
    for each in folders:
        run = subprocess.run([os.environ["OUAF_BINARY"], "verify", each], capture_output=True, text=True)
        line = (run.stdout + run.stderr).strip()
        if line != "ok":
            return line.replace(each + "/model.onnx: ", ""), False
    return "ok", len(folders) == 2


def print_table(out):
    cells, said, columns = {}, {}, []
    for case in sorted(os.listdir(out)):
        if not os.path.exists(os.path.join(out, case, "case.json")):
            continue
        with open(os.path.join(out, case, "case.json")) as file:
            made = json.load(file)
        column = f"{made['exporter']} {made['opset']}" + (" any" if made["exporter"] == "torch" and
                                                          made["batch"] == "any" else "")
        columns = sorted({*columns, column}, key=lambda name: (name.split()[0], int(name.split()[1]), name))
        line, double = verdict(os.path.join(out, case))
        matched = f" {made['gradients']}/{made['weights']}" if made["weights"] else ""
        cell = "ok" + matched + ("*" if double else "")
        if line != "ok":
            cell = "unsupported" if line.startswith("unsupported") else "wrong"
            said.setdefault(line, []).append(f"{made['network']} ({column})")
        cells[made["network"], column] = cell
    print("| network | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in keras_models.names():
        row = [cells.get((name, column), "") for column in columns]
        if any(row):
            print(f"| {name} | " + " | ".join(row) + " |")
    print()
    for line, networks in said.items():
        print(f"- {', '.join(networks)}: `{line}`")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("networks", nargs="*", help="of keras.applications or keras_models.py; all where none is given")
    parser.add_argument("--exporter", choices=("keras", "keras2", "torch"), default="keras")
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--batch", choices=("2", "any"), default="any", help="images the file takes at once")
    parser.add_argument("--table", action="store_true", help="verify what OUT holds and print it")
    arguments = parser.parse_intermixed_args()
    if arguments.table:
        print_table(arguments.out)
        return
    warnings.filterwarnings("ignore")
    keras = load_keras(arguments.exporter)
    for name in arguments.networks or keras_models.names():
        try:
            batch = None if arguments.batch == "any" else 2
            case = f"{arguments.exporter}-{arguments.opset}-{'any-' if batch is None else ''}{name}"
            export_case(keras, arguments.exporter, arguments.opset, batch, name, os.path.join(arguments.out, case))
        except Exception as error:
            traceback.print_exc()
            print(f"{name}: not exported: {type(error).__name__}: {str(error)[:300]}", flush=True)


main()
