#!/usr/bin/env python3
"""Networks with PyTorch's own training steps as the reference for `ouaf verify`.

    python tests/networks/export_training.py OUT [torchvision:resnet18 timm:efficientnet_lite0 ...]

Writes OUT/<library>_<name>/model.onnx and test_data_set_0/ beside it: input_0.pb (8 pictures of noise at 64 px) and
output_0.pb in evaluation mode, target_0.pb, sgd_0.pb = [learning rate, momentum], losses_0.pb (the loss in training
mode before each of ten steps of SGD) and statistics_<k>.pb (the running statistics after them, named after their
initializers). native/verify/verify.hpp says how they are compared.

PyTorch moves running variances by the unbiased variance of a batch, ONNX by the population's, which is
(n - 1) / n of it for n values a channel. From running = kept^steps * start + moved, with kept = 1 - momentum and n the
same at every step, follows the population's: kept^steps * start + moved * (n - 1) / n.

All is float64. In float32 ten steps of such a deep network with batch norms say nothing: PyTorch's own losses in its
two memory layouts are up to 0.1 apart, for rounding alone.

Needs torch, torchvision, timm, onnx, onnxscript.
"""
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

NETWORKS = [
    "torchvision:resnet18",
    "torchvision:mobilenet_v2",
    "torchvision:densenet121",
    "torchvision:regnet_y_400mf",
    "timm:efficientnet_lite0",
    "timm:convnext_atto",
]
PICTURES, SIZE, CLASSES, STEPS = 8, 64, 10, 10
# The loss falls by more than half in ten steps.
LEARNING_RATE, MOMENTUM = 0.01, 0.9


def make_network(library, name):
    torch.manual_seed(0)
    if library == "timm":
        import timm

        return timm.create_model(name, num_classes=CLASSES, drop_rate=0.0, drop_path_rate=0.0)
    import torchvision

    extra = {"dropout": 0.0} if name.startswith("mobilenet") else {}
    return torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **extra)


def batch_norms(network):
    kind = torch.nn.modules.batchnorm._BatchNorm
    return {name: module for name, module in network.named_modules() if isinstance(module, kind)}


def train(network, pictures, target):
    """The losses before each step, and the running statistics afterwards by name."""
    norms = batch_norms(network)
    start = {name: norm.running_var.clone() for name, norm in norms.items()}
    values = {}
    for name, norm in norms.items():
        norm.register_forward_pre_hook(
            lambda _, inputs, name=name: values.update({name: inputs[0].numel() // inputs[0].shape[1]}))
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses = []
    network.train()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(pictures), target)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    statistics = {}
    for name, norm in norms.items():
        remains = (1 - norm.momentum) ** STEPS * start[name]
        moved = norm.running_var - remains
        n = values[name]
        statistics[f"{name}.running_mean"] = norm.running_mean.numpy()
        statistics[f"{name}.running_var"] = (remains + moved * (n - 1) / n).numpy()
    return losses, statistics


def save(path, array, name):
    path.write_bytes(numpy_helper.from_array(np.ascontiguousarray(array), name).SerializeToString())


def export(spec, out):
    library, name = spec.split(":")
    network = make_network(library, name).double().eval()
    draw = torch.Generator().manual_seed(1)
    pictures = torch.randn(PICTURES, 3, SIZE, SIZE, generator=draw, dtype=torch.float64)
    target = torch.randint(CLASSES, (PICTURES,), generator=draw)
    folder = Path(out) / f"{library}_{name}"
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    # In evaluation mode and not optimised, the exporter keeps batch norms as nodes.
    torch.onnx.export(network, (pictures,), folder / "model.onnx", dynamo=True, optimize=False, external_data=False,
                      verbose=False, input_names=["input"], output_names=["logits"])
    save(data / "input_0.pb", pictures.numpy(), "input")
    save(data / "output_0.pb", network(pictures).detach().numpy(), "logits")
    save(data / "target_0.pb", target.numpy(), "target")
    save(data / "sgd_0.pb", np.array([LEARNING_RATE, MOMENTUM]), "sgd")
    losses, statistics = train(network, pictures, target)
    save(data / "losses_0.pb", np.array(losses), "losses")
    initializers = {each.name for each in onnx.load(folder / "model.onnx").graph.initializer}
    kept = {name: value for name, value in statistics.items() if name in initializers}
    for k, (name, value) in enumerate(kept.items()):
        save(data / f"statistics_{k}.pb", value, name)
    print(f"{folder}: loss {losses[0]:.3f} to {losses[-1]:.3f}, statistics {len(kept)} of {len(statistics)}", flush=True)


def main():
    warnings.filterwarnings("ignore")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for spec in sys.argv[2:] or NETWORKS:
        export(spec, sys.argv[1])


if __name__ == "__main__":
    main()
