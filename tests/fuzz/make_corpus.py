"""Writes the fuzzer's seeds: one tiny model for each group of operators, and files that the reader refuses.

    make_corpus.py OUT"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
IMAGE = [("x", FLOAT, ["n", 4, 6, 6])]


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def model(name, nodes, inputs=IMAGE, constants=None, opset=18, outputs=None):
    """Nodes without outputs get their names in a chain: out0, out1, … The last output is the graph's."""
    made = []
    for i, each in enumerate(nodes):
        if not each.output:
            each.output.append(f"out{i}")
        made.append(each)
    outputs = outputs or [made[-1].output[0]]
    graph = helper.make_graph(
        made, name, [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(each, FLOAT, None) for each in outputs],
        [numpy_helper.from_array(value, key) for key, value in (constants or {}).items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return declared(made)


def declared(made):
    """With the outputs as ONNX infers them; a wrong declaration would be all that the reader sees of the file."""
    for output in made.graph.output:
        output.ClearField("type")
    try:
        inferred = onnx.shape_inference.infer_shapes(made)
    except onnx.shape_inference.InferenceError:
        inferred = made
    for output, found in zip(made.graph.output, inferred.graph.output):
        output.type.CopyFrom(found.type)
        if not output.type.tensor_type.HasField("shape"):
            output.CopyFrom(helper.make_tensor_value_info(output.name, output.type.tensor_type.elem_type or FLOAT, ["n"]))
    return made


def operators():
    w = noise(4, 4, 3, 3)
    yield model("conv", [node("Conv", ["x", "w", "b"], [], pads=[1, 1, 1, 1]), node("Relu", ["out0"], []),
                         node("Add", ["out1", "x"], [])], constants={"w": w, "b": noise(4)})
    yield model("conv_same", [node("Conv", ["x", "w"], [], auto_pad="SAME_UPPER", strides=[2, 2], dilations=[1, 1])],
                constants={"w": w})
    yield model("conv_transpose", [node("ConvTranspose", ["x", "w"], [], output_padding=[1, 1], strides=[2, 2],
                                        output_shape=[12, 12])], constants={"w": w})
    yield model("gemm", [node("Flatten", ["x"], []), node("Gemm", ["out0", "w", "b"], [], transB=1, alpha=0.5, beta=2.0),
                         node("Softmax", ["out1"], [])], constants={"w": noise(3, 144), "b": noise(3)})
    yield model("matmul", [node("MatMul", ["x", "w"], []), node("Einsum", ["out0", "w"], [], equation="abij,jk->abik")],
                constants={"w": noise(6, 6)})
    yield model("pools", [node("MaxPool", ["x"], ["a", "i"], kernel_shape=[2, 2], strides=[2, 2], storage_order=1),
                          node("MaxUnpool", ["a", "i"], ["u"], kernel_shape=[2, 2], strides=[2, 2]),
                          node("AveragePool", ["u"], ["v"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1,
                               count_include_pad=1),
                          node("LpPool", ["v"], ["p"], kernel_shape=[2, 2], p=2), node("GlobalAveragePool", ["p"], [])])
    yield model("windows", [node("Reshape", ["x", "columns"], []), node("Col2Im", ["out0", "image", "block"], [])],
                constants={"columns": ints(-1, 12, 12), "image": ints(4, 5), "block": ints(2, 2)})
    yield model("recurrent", [node("Reshape", ["x", "steps"], []),
                              node("LSTM", ["out0", "w", "r", "b"], [], hidden_size=3, direction="bidirectional")],
                constants={"steps": ints(6, -1, 4), "w": noise(2, 12, 4), "r": noise(2, 12, 3), "b": noise(2, 24)})
    yield model("norms", [node("BatchNormalization", ["x", "s", "s", "s", "s"], ["a", "m", "v"], training_mode=1),
                          node("InstanceNormalization", ["a", "s", "s"], ["b"]),
                          node("GroupNormalization", ["b", "g", "g"], ["c"], num_groups=2),
                          node("LRN", ["c"], ["d"], size=3), node("LayerNormalization", ["d", "l", "l"], ["e"]),
                          node("LpNormalization", ["e"], ["f"]), node("MeanVarianceNormalization", ["f"], [])],
                constants={"s": np.abs(noise(4)), "g": noise(4), "l": noise(6)}, opset=21)
    yield model("activations", [node("Elu", ["x"], []), node("Selu", ["out0"], []), node("HardSigmoid", ["out1"], []),
                                node("LeakyRelu", ["out2"], []), node("Clip", ["out3", "low", "high"], []),
                                node("PRelu", ["out4", "low"], []), node("LogSoftmax", ["out5"], []),
                                node("Sigmoid", ["out6"], []), node("Mul", ["out6", "out7"], [])],
                constants={"low": np.float32(-1), "high": np.float32(1)})
    yield model("shapes", [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]),
                           node("Concat", ["n", "rest"], ["shape"], axis=0), node("Reshape", ["x", "shape"], ["r"]),
                           node("Transpose", ["r"], ["t"], perm=[1, 0]), node("Unsqueeze", ["t", "zero"], ["q"]),
                           node("Squeeze", ["q", "zero"], [])], constants={"zero": ints(0), "rest": ints(-1)})
    yield model("cuts", [node("Slice", ["x", "a", "b", "c", "d"], ["s"]), node("Pad", ["x", "p"], ["q"], mode="reflect"),
                         node("Split", ["q", "h"], ["l", "r"], axis=1), node("Concat", ["l", "r"], ["t"], axis=1),
                         node("Tile", ["t", "k"], ["u"]), node("Expand", ["u", "e"], [])],
                constants={"a": ints(5), "b": ints(-100), "c": ints(2), "d": ints(-2), "p": ints(0, 0, 1, 1, 0, 0, 1, 1),
                           "h": ints(2, 2), "k": ints(1, 1, 2, 1), "e": ints(1, 4, 16, 8)})
    yield model("blocks", [node("DepthToSpace", ["x"], [], blocksize=2), node("SpaceToDepth", ["out0"], [], blocksize=2),
                           node("CenterCropPad", ["out1", "s"], [], axes=[2, 3])], constants={"s": ints(8, 4)})
    yield model("picks", [node("GatherND", ["x", "i"], ["a"]), node("GatherElements", ["x", "e"], ["b"], axis=2),
                          node("ScatterElements", ["b", "e", "b"], ["c"], reduction="add"),
                          node("ScatterND", ["x", "i", "a"], ["d"]), node("Compress", ["d", "k"], ["f"], axis=1),
                          node("ReverseSequence", ["f", "l"], [], time_axis=1, batch_axis=0)],
                constants={"i": ints([0, 1], [0, -1]), "e": np.zeros((1, 4, 2, 6), np.int64),
                           "k": np.array([True, False, True, True]), "l": ints(2, 2)})
    yield model("makers", [node("ConstantOfShape", ["s"], ["a"]), node("Range", ["zero", "six", "one"], ["b"]),
                           node("OneHot", ["b", "six", "v"], ["c"]), node("EyeLike", ["c"], ["d"], k=1),
                           node("Trilu", ["d"], ["e"]), node("CumSum", ["e", "zero"], ["f"], exclusive=1, reverse=1),
                           node("Add", ["x", "f"], [])],
                constants={"s": ints(2, 3), "zero": np.int64(0), "six": np.int64(6), "one": np.int64(1),
                           "v": np.array([0, 1], np.float32)})
    yield model("order", [node("TopK", ["x", "k"], ["a", "b"], axis=1), node("Unique", ["a"], ["u", "i", "j", "c"]),
                          node("ReduceMax", ["u"], [])], constants={"k": ints(2)})
    yield model("reductions", [node("ReduceSum", ["x", "a"], ["s"], keepdims=1), node("ReduceMean", ["s"], [], axes=[1]),
                               node("ArgMax", ["out1"], ["t"], axis=2), node("ReduceLogSumExp", ["x"], [])],
                constants={"a": ints(3)}, opset=13)
    yield model("resize", [node("Resize", ["x", "", "s"], [], mode="cubic", antialias=1),
                           node("Resize", ["out0", "r", "", "z"], [], mode="linear",
                                coordinate_transformation_mode="tf_crop_and_resize")],
                constants={"s": np.array([1, 1, 0.5, 2], np.float32), "r": noise(8), "z": ints(1, 4, 5, 5)})
    yield model("grids", [node("AffineGrid", ["t", "s"], []), node("GridSample", ["x", "out0"], [])],
                constants={"t": noise(2, 2, 3), "s": ints(2, 4, 3, 3)}, opset=20)
    yield model("attention", [node("Reshape", ["x", "s"], ["q"]), node("Attention", ["q", "q", "q"], [], q_num_heads=2,
                                                                       kv_num_heads=2, is_causal=1)],
                constants={"s": ints(0, 36, 4)}, opset=23)
    yield model("integers", [node("Div", ["x", "d"], []), node("Mod", ["out0", "d"], []), node("Pow", ["out1", "d"], []),
                             node("Cast", ["out2"], [], to=FLOAT), node("BitShift", ["y", "y"], [], direction="LEFT")],
                inputs=[("x", INT64, [2, 3]), ("y", TensorProto.UINT8, [2, 3])], constants={"d": ints(3, -1, 2)},
                outputs=["out3", "out4"])
    yield model("loss", [node("Abs", ["t"], ["c"]), node("SoftmaxCrossEntropyLoss", ["x", "c", "w"], [], reduction="none", ignore_index=1)],
                inputs=[("x", FLOAT, [2, 3]), ("t", INT64, [2])], constants={"w": noise(3)})
    yield model("quantised", [node("Identity", ["w"], ["i"]), node("DequantizeLinear", ["i", "s", "z"], ["f"], axis=0),
                              node("Conv", ["x", "f"], [])],
                constants={"w": np.ones((2, 4, 1, 1), np.int8), "s": np.array([1, 2], np.float32), "z": np.zeros(2, np.int8)})
    yield model("where", [node("Greater", ["x", "z"], []), node("Where", ["out0", "x", "z"], []),
                          node("NonZero", ["out0"], ["n"]), node("Dropout", ["out1"], ["o", "m"])],
                constants={"z": np.float32(0)})


def refused():
    external = model("external", [node("Gemm", ["x", "w"], [])], [("x", FLOAT, [1, 2])], {"w": noise(2, 2)})
    weight = external.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../weights.bin"), ("offset", "18446744073709551615"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    yield external
    branch = helper.make_graph([node("Relu", ["x"], ["r"])], "branch", [], [helper.make_tensor_value_info("r", FLOAT, ["n"])])
    yield model("subgraph", [node("If", ["c"], [], then_branch=branch, else_branch=branch)], IMAGE + [("c", BOOL, [])])
    function = model("function", [node("Twice", ["x"], [], domain="own")])
    function.functions.append(helper.make_function("own", "Twice", ["x"], ["y"], [node("Add", ["x", "x"], ["y"])],
                                                   [helper.make_opsetid("", 18)]))
    yield function
    yield model("cycle", [node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"])])
    huge = model("huge", [node("Add", ["x", "w"], [])], constants={"w": noise(1)})
    huge.graph.initializer[0].dims[0] = 1 << 40
    yield huge


def hostile():
    """What crashed, hung or took the memory once, or would have."""
    big = ints(1 << 20)
    yield model("smallest_by_minus_one", [node("Div", ["a", "b"], [])], constants={"a": ints(-2**63), "b": ints(-1)})
    yield model("block_of_2_to_32", [node("DepthToSpace", ["x"], [], blocksize=1 << 32)])
    yield model("reshape_overflow", [node("Reshape", ["x", "s"], [])], constants={"s": ints(1 << 32, 1 << 32, 144)})
    yield model("broadcast_terabytes", [node("ConstantOfShape", ["n"], ["a"]), node("Unsqueeze", ["a", "one"], ["b"]),
                                        node("Add", ["a", "b"], ["c"]), node("Add", ["c", "x"], [])],
                constants={"n": big, "one": ints(1)})
    yield model("padded_convolution", [node("Conv", ["x", "w"], [], pads=[1 << 20] * 4)], constants={"w": noise(4, 4, 3, 3)})
    yield model("channels_of_a_vector", [node("BatchNormalization", ["x", "s", "s", "s", "s"], ["a", "m", "v"],
                                              training_mode=1)], [("x", FLOAT, [4])], {"s": np.abs(noise(4))})
    yield model("unpool_of_a_vector", [node("MaxUnpool", ["x", "i"], [], kernel_shape=[2, 2, 2])], [("x", FLOAT, [4])],
                {"i": ints(0, 1, 2, 3)})
    yield model("pool_of_a_vector", [node("AveragePool", ["x"], [], kernel_shape=[2], pads=[1, 1])], [("x", FLOAT, [])])
    yield model("places_without_batch", [node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])], [("x", FLOAT, [4, 6, 6])])
    yield model("no_roi", [node("Resize", ["x", "", "s"], [], coordinate_transformation_mode="tf_crop_and_resize")],
                constants={"s": np.ones(4, np.float32)})
    yield model("window_of_2_to_20", [node("LRN", ["x"], [], size=1 << 20)])
    yield model("cache_without_axes", [node("TensorScatter", ["x", "u"], [], axis=0)], [("x", FLOAT, [])],
                {"u": noise(1)}, opset=24)
    yield model("batch_dims_overflow", [node("GatherND", ["x", "i"], [], batch_dims=2**63 - 1)],
                constants={"i": np.zeros((1, 1), np.int64)})
    truth = model("bool_of_255", [node("Compress", ["x", "k"], [], axis=1)], constants={"k": np.array([True] * 4)})
    truth.graph.initializer[0].raw_data = b"\xff\x02\x00\x01"
    yield truth


out = sys.argv[1]
os.makedirs(out, exist_ok=True)
for kind in (operators, refused, hostile):
    for each in kind():
        with open(os.path.join(out, f"{kind.__name__}_{each.graph.name}.onnx"), "wb") as file:
            file.write(each.SerializeToString())
