"""A whole run of `ouaf train` against the same training written out in PyTorch: the split, the order of the pictures,
accumulation, label smoothing, clipping, layer decay, weight decay, the pull to the first weights, warm-up and cosine, the average of the weights, early
stopping; float16 with its scaled loss; weights on a grid, with the straight-through estimator.

    training_run.py OUAF"""
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
import onnx.numpy_helper
import torch

OUAF = sys.argv.pop()
RECIPE = """
name = "run"
network = "mlp"
data = "data"
validation = 0.2
dropout = 0
[train]
epochs = 4
batch = 16
accumulate = 2
seed = 3
optimizer = "adamw"
learning_rate = 0.003
weight_decay = 0.05
pull_to_start = 2
layer_decay = 0.5
clip = 0.6
schedule = "cosine"
warm_up = 0.7
least = 0.1
label_smoothing = 0.1
ema = 0.9
"""
SEED = 3
GRID = 0.4  # how far a step goes to the next integer


def write_idx(path, array):
    path.write_bytes(struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def make_pictures(count, seed):
    """Ten classes, each a smooth pattern of its own under noise."""
    draw = np.random.default_rng(seed)
    patterns = np.random.default_rng(0).normal(0, 40, (10, 12, 12))
    labels = draw.integers(0, 10, count)
    return np.clip(128 + patterns[labels] + draw.normal(0, 60, (count, 12, 12)), 0, 255).astype(np.uint8), labels.astype(np.uint8)


def split(labels, share):
    """Of each class a shuffled part is set apart; both parts in the pictures' order."""
    generator = torch.Generator().manual_seed(SEED)
    kept, taken = [], []
    for label in range(10):
        places = (labels == label).nonzero().squeeze(1)
        places = places[torch.randperm(len(places), generator=generator)]
        count = math.floor(share * len(places) + 0.5)
        taken.append(places[:count])
        kept.append(places[count:])
    return torch.cat(kept).sort().values, torch.cat(taken).sort().values


def rate_at(epoch, epochs):
    warm_up, least = 0.7, 0.1
    if epoch < warm_up:
        return epoch / warm_up
    return least + (1 - least) * (1 + math.cos(math.pi * (epoch - warm_up) / (epochs - warm_up))) / 2


def weights_of(file):
    """Of the three dense layers, as torch.nn.Linear has them, by layer."""
    tensors = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(file).graph.initializer}
    return [(torch.tensor(tensors[f"classifier.{i}.weight"]), torch.tensor(tensors[f"classifier.{i}.bias"])) for i in (0, 3, 6)]


def read_safetensors(file):
    data = file.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return {name: torch.frombuffer(bytearray(data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]),
                                   dtype=torch.float32).view(entry["shape"])
            for name, entry in json.loads(data[8:start]).items() if name != "__metadata__" and entry["dtype"] == "F32"}


class Nearest(torch.autograd.Function):
    """The nearest integer, -127 to 127; gradients go through as if it were the number itself."""
    @staticmethod
    def forward(context, exact):
        return exact.round().clamp(-127, 127)

    @staticmethod
    def backward(context, gradient):
        return gradient


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "data").mkdir()
        for stem, count, seed in (("train", 300, 1), ("t10k", 50, 2)):
            pictures, labels = make_pictures(count, seed)
            write_idx(cls.folder / "data" / f"{stem}-images-idx3-ubyte", pictures)
            write_idx(cls.folder / "data" / f"{stem}-labels-idx1-ubyte", labels)
        (cls.folder / "recipe.toml").write_text(RECIPE)
        cls.pictures, cls.labels = (torch.tensor(each) for each in make_pictures(300, 1))
        cls.labels = cls.labels.long()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_ouaf(self, *arguments):
        subprocess.run([OUAF, "train", *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def train(self, name, *arguments):
        self.run_ouaf("recipe.toml", "--out", name, *arguments)
        lines = (self.folder / name / "metrics.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return {kind: [each for each in events if kind in (each["event"], "all")]
                for kind in ("all", "start", "step", "skipped", "epoch", "test")}

    def test_every_step_is_pytorchs(self):
        # float32 sums in another order; the differences grow a little from step to step.
        _, loss = self.compare("run", epochs=4, batch=16, parts=2, rate=0.003, float16=False, close=2e-4, norm_close=1e-3)
        self.assertLess(loss, 1.2)  # it has learned

    def test_every_step_in_float16_is_pytorchs(self):
        """Two pictures a step have gradients that are too large for the first scales."""
        # The first thirty steps agree to the last bits of float32. Then one rounding to 2^-11 falls the other way, and
        # Adam carries the difference on.
        events, loss = self.compare("half", epochs=1, batch=2, parts=1, rate=0.0003, float16=True, close=5e-3, norm_close=2e-2)
        self.assertGreater(len(events["skipped"]), 0)
        self.assertGreater(len(events["step"]), 100)
        self.assertLess(loss, 2.2)  # from 2.4

    def test_every_step_on_a_grid_is_pytorchs(self):
        # Where a weight lies within float32's error of a border, the integer is the other one here: some of 20,000 do.
        sets = ("--set", "weight_bits=3", "--set", f"train.rounded={GRID}")
        self.train("grid_start", *sets, "--set", "train.learning_rate=0", "--set", "train.epochs=1")
        saved = read_safetensors(self.folder / "grid_start/last.safetensors")
        _, loss = self.compare("grid", epochs=4, batch=16, parts=2, rate=0.003, float16=False, close=2e-3, norm_close=1e-2,
                               sets=sets, saved=saved)
        self.assertLess(loss, 1.5)
        weights = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(self.folder / "grid/model.onnx").graph.initializer}
        for name in (each for each in saved if each.startswith("steps.")):
            in_steps = torch.tensor(weights[name.removeprefix("steps.")]) / saved[name]
            torch.testing.assert_close(in_steps, in_steps.round(), rtol=0, atol=1e-4)
            self.assertLess(len(in_steps.round().unique()), 40)

    def test_stopped_in_float16_it_goes_on_with_its_scale(self):
        sets = [word for each in ("float16=true", "epochs=2", "batch=2", "accumulate=1") for word in ("--set", f"train.{each}")]
        whole = self.train("whole", *sets)
        scales = [each["loss_scale"] for each in whole["all"] if each["event"] in ("step", "skipped") and each["epoch"] <= 1]
        self.assertLess(scales[-1], 65536)  # what a scale begun anew would not be
        self.train("parts", *sets, "--until", "1")
        self.run_ouaf("--resume", "parts")
        for file in ("best.safetensors", "model.onnx"):
            self.assertTrue((self.folder / "parts" / file).read_bytes() == (self.folder / "whole" / file).read_bytes(), file)

    def compare(self, name, epochs, batch, parts, rate, float16, close, norm_close, sets=(), saved=None):
        """The run's events, and the loss of its last validation."""
        if not (self.folder / "first").exists():
            self.train("first", "--set", "train.learning_rate=0", "--set", "train.epochs=1")
        network = torch.nn.Sequential()
        for i, (weight, bias) in enumerate(weights_of(self.folder / "first/model.onnx")):
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight.data, layer.bias.data = weight, bias
            network.extend([layer] + ([torch.nn.ReLU()] if i < 2 else []))
        steps_of, reach = {}, GRID / rate
        start = [parameter.detach().clone() for parameter in network.parameters()]
        if saved:
            for own, parameter in network.named_parameters():
                theirs = f"classifier.{int(own[0]) * 3 // 2}{own[1:]}"
                parameter.data = saved[f"weights.{theirs}"].clone()
                if f"steps.{theirs}" in saved:  # from here on the parameter is so much of a step
                    steps_of[own] = saved[f"steps.{theirs}"]
                    parameter.data /= reach
                    start[next(i for i, each in enumerate(network.parameters()) if each is parameter)] /= steps_of[own] * reach

        def answer(pictures):
            used = {own: Nearest.apply(parameter * reach) * steps_of[own] if own in steps_of else parameter
                    for own, parameter in network.named_parameters()}
            return torch.func.functional_call(network, used, pictures)

        layers = [each for each in network if isinstance(each, torch.nn.Linear)]
        values = {"epochs": epochs, "batch": batch, "accumulate": parts, "learning_rate": rate, "float16": str(float16).lower()}
        events = self.train(name, *sets, *(word for key, value in values.items() for word in ("--set", f"train.{key}={value}")))
        scaler = torch.amp.GradScaler("cpu", enabled=float16)
        mean, std = events["start"][0]["mean"][0], events["start"][0]["std"][0]
        kept, taken = split(self.labels, 0.2)
        seen = ((self.pictures.double() / 255 - mean) / std).float().flatten(1)
        optimizer = torch.optim.AdamW([{"params": [parameter], "weight_decay": 0.05 if parameter.dim() > 1 else 0,
                                        "share": 0.5 ** (2 - i)}
                                       for i, layer in enumerate(layers) for parameter in (layer.weight, layer.bias)])
        average = [parameter.detach().clone() for parameter in network.parameters()]
        generator = torch.Generator().manual_seed(SEED)
        steps = (each for each in events["all"] if each["event"] in ("step", "skipped"))
        count = 0
        for epoch in range(epochs):
            order = kept[torch.randperm(len(kept), generator=generator)]
            batches = [order[first:first + batch] for first in range(0, len(order), batch)]
            done = 0
            for group in (batches[first:first + parts] for first in range(0, len(batches), parts)):
                now = rate * rate_at(epoch + done / len(order), epochs)
                with torch.autocast("cpu", torch.float16, enabled=float16):
                    losses = [torch.nn.functional.cross_entropy(answer(seen[rows]), self.labels[rows], label_smoothing=0.1)
                              for rows in group]
                loss = sum(losses) / len(losses)
                optimizer.zero_grad()
                scaler.scale(loss).backward()
                scaler.unscale_(optimizer)
                norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 0.6)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = now * parameters["share"]
                scaler.step(optimizer)
                scale = scaler.get_scale()
                scaler.update()
                step = next(steps)
                done += sum(len(rows) for rows in group)
                self.assertAlmostEqual(step["loss"], loss.item(), delta=close * loss.item())
                self.assertAlmostEqual(step["epoch"], epoch + done / len(order), delta=1e-9)
                if float16:
                    self.assertEqual(step["loss_scale"], scaler.get_scale())
                if scaler.get_scale() < scale:
                    self.assertEqual(step["event"], "skipped")
                    continue
                self.assertEqual(step["event"], "step")
                for mine, parameters in zip(start, optimizer.param_groups):
                    parameters["params"][0].data.lerp_(mine, 2 * parameters["lr"])
                count += 1
                keep = min(0.9, (1 + count) / (10 + count))
                for mine, parameter in zip(average, network.parameters()):
                    mine.lerp_(parameter.detach(), 1 - keep)
                self.assertAlmostEqual(step["gradient_norm"], norm.item(), delta=norm_close * norm.item())
                self.assertAlmostEqual(step["learning_rate"], now, delta=1e-9)
            own = [parameter.detach().clone() for parameter in network.parameters()]
            for parameter, mine in zip(network.parameters(), average):
                parameter.data.copy_(mine)
            with torch.no_grad(), torch.autocast("cpu", torch.float16, enabled=float16):
                logits = answer(seen[taken]).float()
            measured = events["epoch"][epoch]
            loss = torch.nn.functional.cross_entropy(logits, self.labels[taken]).item()
            self.assertAlmostEqual(measured["validation_loss"], loss, delta=close * loss)
            self.assertAlmostEqual(measured["validation_top1"], (logits.argmax(1) == self.labels[taken]).double().mean().item(),
                                   delta=1.01 / len(taken))
            for parameter, mine in zip(network.parameters(), own):
                parameter.data.copy_(mine)
        self.assertIsNone(next(steps, None))
        return events, loss

    def test_it_stops_early_and_the_rate_falls_on_a_plateau(self):
        """With a rate of 0 nothing gets better after the first epoch."""
        events = self.train("early", "--set", "train.learning_rate=0", "--set", "train.epochs=50", "--set", "train.stop_patience=3")
        self.assertEqual(len(events["epoch"]), 4)
        events = self.train("plateau", "--set", "train.learning_rate=1e-12", "--set", "train.epochs=6", "--set",
                            "train.schedule=constant", "--set", "train.warm_up=0", "--set", "train.plateau_patience=2",
                            "--set", "train.plateau_factor=0.5", "--set", "train.ema=0", "--set", "train.accumulate=1")
        rates = [events["epoch"][i]["learning_rate"] for i in range(6)]
        np.testing.assert_allclose(rates, [1e-12, 1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13])


if __name__ == "__main__":
    unittest.main()
