"""One network as an ONNX file with PyTorch's own training steps beside it, as the reference for `ouaf verify`.

input_0.pb (8 pictures of noise at 96 px) and output_0.pb in evaluation mode, target_0.pb, sgd_0.pb = [learning rate,
momentum], losses_0.pb (the loss in training mode before each of ten steps of SGD) and statistics_<k>.pb (the running
statistics after them, named after their initializers). native/verify/verify.hpp says how they are compared.

PyTorch moves running variances by the unbiased variance of a batch, ONNX by the population's, which is
(n - 1) / n of it for n values a channel. From running = kept^steps * start + moved, with kept = 1 - momentum and n the
same at every step, follows the population's: kept^steps * start + moved * (n - 1) / n.

All is float64. In float32 ten steps of such a deep network with batch norms say nothing: PyTorch's own losses in its
two memory layouts are up to 0.1 apart, for rounding alone. An epsilon of 1e-5 in float32 or in float64 is as much."""
import os

import numpy as np
import onnx
import torch
from reference_network import CLASSES, exported, write

PICTURES, SIDE, STEPS = 8, 96, 10
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


def export_training(spec, folder):
    """Writes FOLDER/model.onnx and FOLDER/test_data_set_0."""
    network = make_network(*spec.split(":")).double().eval()
    for module in network.modules():
        if hasattr(module, "eps"):
            module.eps = float(np.float32(module.eps))  # as the file says it: ONNX's attributes are float32
    draw = torch.Generator().manual_seed(1)
    pictures = torch.randn(PICTURES, 3, SIDE, SIDE, generator=draw, dtype=torch.float64)
    target = torch.randint(CLASSES, (PICTURES,), generator=draw)
    path, data = os.path.join(folder, "model.onnx"), os.path.join(folder, "test_data_set_0")
    # In evaluation mode and not optimised, the exporter keeps batch norms as nodes.
    exported(network, pictures).save(path)
    write(data, "input_0", pictures.numpy(), "input")
    write(data, "output_0", network(pictures).detach().numpy(), "logits")
    write(data, "target_0", target.numpy(), "target")
    write(data, "sgd_0", np.array([LEARNING_RATE, MOMENTUM]), "sgd")
    losses, statistics = train(network, pictures, target)
    write(data, "losses_0", np.array(losses), "losses")
    kept = {each.name for each in onnx.load(path).graph.initializer}
    for k, name in enumerate(sorted(kept & set(statistics))):
        write(data, f"statistics_{k}", statistics[name], name)
