"""Writes ONNX's own test cases as folders that `ouaf verify` reads: OUT/<kind>/<case>/model.onnx and test_data_set_0/.

    make_cases.py OUT            all node cases of the installed onnx package, and the models that it carries
    make_cases.py OUT --every 8  every eighth node case, and no models

kinds: node; pytorch-operator, pytorch-converted and simple as the package holds them; light: whole networks, whose
input is a ramp."""
import argparse
import os
import shutil
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

warnings.simplefilter("ignore")  # the cases divide by zero on purpose
DATA = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")


def tensor_bytes(value, info):
    kind = info.type.WhichOneof("value")
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    make = {"sequence_type": numpy_helper.from_list, "optional_type": numpy_helper.from_optional,
            "map_type": numpy_helper.from_dict, "tensor_type": numpy_helper.from_array}[kind]
    return make(value, info.name).SerializeToString()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def node_cases(out, every):
    import onnx.backend.test.case.node as node
    cases = sorted(node.collect_testcases(), key=lambda case: case.name)[::every]
    for case in cases:
        folder = os.path.join(out, "node", case.name)
        write(os.path.join(folder, "model.onnx"), case.model.SerializeToString())
        for i, (inputs, outputs) in enumerate(case.data_sets):
            for stem, values, infos in (("input", inputs, case.model.graph.input),
                                        ("output", outputs, case.model.graph.output)):
                for j, (value, info) in enumerate(zip(values, infos)):
                    write(os.path.join(folder, f"test_data_set_{i}", f"{stem}_{j}.pb"), tensor_bytes(value, info))


def packaged_models(out):
    for kind in ("pytorch-operator", "pytorch-converted", "simple"):
        shutil.copytree(os.path.join(DATA, kind), os.path.join(out, kind), dirs_exist_ok=True)


def light_models(out):
    folder = os.path.join(DATA, "light")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".onnx"):
            continue
        model = onnx.load(os.path.join(folder, name))
        case = os.path.join(out, "light", name[:-len(".onnx")])
        os.makedirs(os.path.join(case, "test_data_set_0"), exist_ok=True)
        shutil.copy(os.path.join(folder, name), os.path.join(case, "model.onnx"))
        shutil.copy(os.path.join(folder, name.replace(".onnx", "_output_0.pb")),
                    os.path.join(case, "test_data_set_0", "output_0.pb"))
        weights = {each.name for each in model.graph.initializer}
        inputs = [each for each in model.graph.input if each.name not in weights]
        for i, info in enumerate(inputs):
            shape = [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]
            count = int(np.prod(shape))
            ramp = (np.arange(count).reshape(shape) / count).astype(np.float32)
            write(os.path.join(case, "test_data_set_0", f"input_{i}.pb"), tensor_bytes(ramp, info))


parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--every", type=int, default=1)
arguments = parser.parse_args()
node_cases(arguments.out, arguments.every)
if arguments.every == 1:
    packaged_models(arguments.out)
    light_models(arguments.out)
