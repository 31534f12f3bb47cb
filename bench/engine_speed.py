"""How fast an imported network runs and gives its gradients, against the PyTorch module it was exported from and against
ONNX Runtime, on this machine.

    build/deps/python/bin/python bench/engine_speed.py [NETWORK…] [--batch 8] [--rounds 5]

Every round times each contestant once, one after the other, with all cores; the table has the median of each and the
median of the rounds' ratios. PyTorch runs in channels_last, the forward pass in its
inference mode; ONNX Runtime with its default optimisations. Gradients are of all parameters, in evaluation mode."""
import argparse
import os
import statistics
import subprocess
import tempfile
import time
import warnings

import onnxruntime
import timm
import torch
import torchvision

warnings.filterwarnings("ignore")
OUAF = os.environ.get("OUAF_BINARY", os.path.join(os.path.dirname(__file__), "..", "build", "release", "ouaf"))
NETWORKS = {
    "resnet50": lambda: torchvision.models.resnet50(),
    "efficientnetv2_b0": lambda: timm.create_model("tf_efficientnetv2_b0"),
    "convnext_tiny": lambda: torchvision.models.convnext_tiny(),
    "vit_small": lambda: timm.create_model("vit_small_patch16_224"),
}
RUNS = 5


def export(network, path):
    batch = torch.export.Dim("batch", min=1, max=1024)
    torch.onnx.export(network, (torch.randn(2, 3, 224, 224),), path, dynamo=True, optimize=False, external_data=False,
                      input_names=["input"], output_names=["logits"], dynamic_shapes=({0: batch},), verbose=False)


def seconds(run):
    """The median of a few runs, after two that lay out memory and weights."""
    times = []
    for _ in range(2 + RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def ours(path, batch, *flags):
    line = subprocess.run([OUAF, "bench", path, "--batch", str(batch), "--runs", str(RUNS), *flags], check=True,
                          capture_output=True, text=True).stdout
    return float(line.split("median ")[1].split(" ms")[0]) / 1000


def compare(name, batch, rounds):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        export(network, path)
        network = network.to(memory_format=torch.channels_last)
        images = torch.randn(batch, 3, 224, 224)
        pixels = images.to(memory_format=torch.channels_last)
        target = torch.zeros(batch, dtype=torch.long)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

        def forward():
            with torch.inference_mode():
                network(pixels)

        def backward():
            network.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(network(pixels), target).backward()

        contestants = {
            "forward": {"ouaf": lambda: ours(path, batch), "PyTorch": lambda: seconds(forward),
                        "ONNX Runtime": lambda: seconds(lambda: session.run(None, {"input": images.numpy()}))},
            "forward and backward": {"ouaf": lambda: ours(path, batch, "--gradients"),
                                     "PyTorch": lambda: seconds(backward)},
        }
        for task, timers in contestants.items():
            times = {who: [] for who in timers}
            for _ in range(rounds):
                for who, timer in timers.items():
                    times[who].append(timer())
            speed = " | ".join(f"{batch / statistics.median(times[who]):.1f}" if who in times else ""
                               for who in ("ouaf", "PyTorch", "ONNX Runtime"))
            ratios = " | ".join(
                f"{statistics.median(theirs / mine for mine, theirs in zip(times['ouaf'], times[who])):.2f}"
                if who in times else "" for who in ("PyTorch", "ONNX Runtime"))
            print(f"| {name} | {task} | {speed} | {ratios} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("| network | | ouaf, images/s | PyTorch | ONNX Runtime | ratio to PyTorch | to ONNX Runtime |\n|---|---|---|---|---|---|---|")
    for name in arguments.networks:
        compare(name, arguments.batch, arguments.rounds)


main()
