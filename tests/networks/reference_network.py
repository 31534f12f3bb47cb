"""One torchvision or timm network as an ONNX file with PyTorch's logits, loss and gradients beside it, in the layout that
`ouaf verify` reads.

Weights are random with a fixed seed, for 10 classes. Batch norms get the statistics of one random batch, so that
activations keep a sane size. Gradients are those of the mean cross-entropy in evaluation mode; the exporter renames or
folds some weights, and only those that keep their name and values have a gradient to compare with."""
import os

import numpy as np
import onnx
import timm
import torch
import torchvision
from onnx import numpy_helper

CLASSES = 10
LARGEST_FILE = 1_500_000_000  # bytes of weights that still go into one ONNX file; more lie beside it


def build(spec, double=False):
    """torchvision:resnet50@64 or timm:convnext_atto@64 -> the network in evaluation mode, and its input's side."""
    dtype = torch.float64 if double else torch.float32
    library, _, rest = spec.partition(":")
    name, _, side = rest.partition("@")
    side = int(side)
    torch.manual_seed(0)
    network = from_torchvision(name) if library == "torchvision" else from_timm(name, side)
    network = network.to(dtype)
    norms = [each for each in network.modules() if isinstance(each, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average: of one batch, that batch's
    if norms:
        with torch.no_grad():
            network.train()(noise(8, side, seed=1).to(dtype))
    return network.eval(), side


def from_torchvision(name):
    extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **extra)
    if hasattr(network, "aux_logits"):  # heads for training only
        network.aux_logits = False
        for head in {"AuxLogits", "aux1", "aux2"} & set(dir(network)):
            setattr(network, head, None)
    return network


def from_timm(name, side):
    try:
        return timm.create_model(name, num_classes=CLASSES, img_size=side)
    except TypeError:  # a network for any size
        return timm.create_model(name, num_classes=CLASSES)


def noise(batch, side, seed):
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def write(folder, stem, array, name=""):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, stem + ".pb"), "wb") as file:
        file.write(numpy_helper.from_array(np.ascontiguousarray(array), name).SerializeToString())


def exported(network, inputs, **options):
    """The network as the exporter writes it: torch.onnx.ONNXProgram, which can be optimised and saved."""
    return torch.onnx.export(network, (inputs,), dynamo=True, optimize=False, input_names=["input"],
                             output_names=["logits"], verbose=False, **options)


def build_and_export(spec, double):
    """The network, its input and what the exporter made of it."""
    for fused in (True, False):
        timm.layers.set_fused_attn(fused)
        network, side = build(spec, double)
        inputs = noise(2, side, seed=2).to(next(network.parameters()).dtype)
        try:
            return network, inputs, exported(network, inputs)
        except torch.onnx.OnnxExporterError:  # some of timm's attentions export only in single operators
            if not fused:
                raise


def save(program, network, path):
    size = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    program.save(path, external_data=size > LARGEST_FILE)


def export_reference(spec, folder, double=False):
    """Writes FOLDER/plain and FOLDER/optimised, each with model.onnx and test_data_set_0; returns for each how many of
    how many gradients can be compared."""
    network, inputs, program = build_and_export(spec, double)
    target = torch.tensor([3, 7])
    logits = network(inputs)
    loss = torch.nn.functional.cross_entropy(logits, target)
    loss.backward()
    compared = {}
    for form in ("plain", "optimised"):
        if form == "optimised":
            program.optimize()
        data = os.path.join(folder, form, "test_data_set_0")
        os.makedirs(data)
        path = os.path.join(folder, form, "model.onnx")
        save(program, network, path)
        write(data, "input_0", inputs.numpy(), "input")
        write(data, "output_0", logits.detach().numpy(), "logits")
        write(data, "target_0", target.numpy(), "target")
        write(data, "loss_0", loss.detach().numpy(), "loss")
        compared[form] = write_gradients(data, network, path)
    return compared, len(list(network.parameters()))


def write_gradients(data, network, path):
    kept = {each.name: each for each in onnx.load(path).graph.initializer}
    compared = 0
    for name, parameter in network.named_parameters():
        if parameter.grad is None or name not in kept:
            continue
        if np.array_equal(numpy_helper.to_array(kept[name]), parameter.detach().numpy()):
            write(data, f"gradient_{compared}", parameter.grad.numpy(), name)
            compared += 1
    return compared
