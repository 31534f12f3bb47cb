"""A whole run of `ouaf train` against the same training written out in PyTorch: the split, the order of the pictures,
accumulation, label smoothing, clipping, layer decay, weight decay, warm-up and cosine, the average of the weights, early
stopping.

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
layer_decay = 0.5
clip = 0.6
schedule = "cosine"
warm_up = 0.7
least = 0.1
label_smoothing = 0.1
ema = 0.9
"""
EPOCHS, BATCH, PARTS, SEED = 4, 16, 2, 3


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


def rate_at(epoch):
    warm_up, least = 0.7, 0.1
    if epoch < warm_up:
        return epoch / warm_up
    return least + (1 - least) * (1 + math.cos(math.pi * (epoch - warm_up) / (EPOCHS - warm_up))) / 2


def weights_of(file):
    """Of the three dense layers, as torch.nn.Linear has them, by layer."""
    tensors = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(file).graph.initializer}
    return [(torch.tensor(tensors[f"classifier.{i}.weight"]), torch.tensor(tensors[f"classifier.{i}.bias"])) for i in (0, 3, 6)]


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

    def train(self, name, *arguments):
        subprocess.run([OUAF, "train", "recipe.toml", "--out", name, *arguments], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
        lines = (self.folder / name / "metrics.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return {kind: [each for each in events if each["event"] == kind] for kind in ("start", "step", "epoch", "test")}

    def test_every_step_is_pytorchs(self):
        self.train("first", "--set", "train.learning_rate=0", "--set", "train.epochs=1")
        network = torch.nn.Sequential()
        for i, (weight, bias) in enumerate(weights_of(self.folder / "first/model.onnx")):
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight.data, layer.bias.data = weight, bias
            network.extend([layer] + ([torch.nn.ReLU()] if i < 2 else []))
        layers = [each for each in network if isinstance(each, torch.nn.Linear)]
        events = self.train("run")
        mean, std = events["start"][0]["mean"][0], events["start"][0]["std"][0]
        kept, taken = split(self.labels, 0.2)
        seen = ((self.pictures.double() / 255 - mean) / std).float().flatten(1)
        optimizer = torch.optim.AdamW([{"params": [parameter], "weight_decay": 0.05 if parameter.dim() > 1 else 0,
                                        "share": 0.5 ** (2 - i)}
                                       for i, layer in enumerate(layers) for parameter in (layer.weight, layer.bias)])
        average = [parameter.detach().clone() for parameter in network.parameters()]
        generator = torch.Generator().manual_seed(SEED)
        steps = iter(events["step"])
        count = 0
        for epoch in range(EPOCHS):
            order = kept[torch.randperm(len(kept), generator=generator)]
            batches = [order[first:first + BATCH] for first in range(0, len(order), BATCH)]
            done = 0
            for group in (batches[first:first + PARTS] for first in range(0, len(batches), PARTS)):
                rate = 0.003 * rate_at(epoch + done / len(order))
                losses = [torch.nn.functional.cross_entropy(network(seen[rows]), self.labels[rows], label_smoothing=0.1)
                          for rows in group]
                loss = sum(losses) / len(losses)
                optimizer.zero_grad()
                loss.backward()
                norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 0.6)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = rate * parameters["share"]
                optimizer.step()
                count += 1
                keep = min(0.9, (1 + count) / (10 + count))
                for mine, parameter in zip(average, network.parameters()):
                    mine.lerp_(parameter.detach(), 1 - keep)
                done += sum(len(rows) for rows in group)
                step = next(steps)
                # float32 sums in another order; the differences grow a little from step to step.
                self.assertAlmostEqual(step["loss"], loss.item(), delta=2e-4 * loss.item())
                self.assertAlmostEqual(step["gradient_norm"], norm.item(), delta=1e-3 * norm.item())
                self.assertAlmostEqual(step["learning_rate"], rate, delta=1e-9)
                self.assertAlmostEqual(step["epoch"], epoch + done / len(order), delta=1e-9)
            own = [parameter.detach().clone() for parameter in network.parameters()]
            for parameter, mine in zip(network.parameters(), average):
                parameter.data.copy_(mine)
            with torch.no_grad():
                logits = network(seen[taken])
            measured = events["epoch"][epoch]
            loss = torch.nn.functional.cross_entropy(logits, self.labels[taken]).item()
            self.assertAlmostEqual(measured["validation_loss"], loss, delta=2e-4 * loss)
            self.assertAlmostEqual(measured["validation_top1"], (logits.argmax(1) == self.labels[taken]).double().mean().item(),
                                   delta=1.01 / len(taken))
            for parameter, mine in zip(network.parameters(), own):
                parameter.data.copy_(mine)
        self.assertIsNone(next(steps, None))
        self.assertLess(loss, 1.2)  # it has learned

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
