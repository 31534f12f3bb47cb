"""Training by gradients as a person meets it: learns, is stopped and killed, and goes on to the same weights.

Environment: OUAF_BINARY; OUAF_KILLS, how many times a run is killed (default: 8)."""
import json
import os
import random
import signal
import subprocess
import time
import unittest

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from stripes import Program, write_stripes

RECIPE = """
name = "stripes"
network = "mnist_cnn"
data = "data"
validation = 0.2
[train]
epochs = 3
batch = 16
optimizer = "nadam"
learning_rate = 0.002
schedule = "cosine"
ema = 0.9
checkpoint_seconds = 0
[augment]
shift = 0.1
mixup = 0.2
"""


class Training(Program):
    def setUp(self):
        super().setUp()
        self.pictures, self.labels = write_stripes(self.folder, 400, 200)
        (self.folder / "recipe.toml").write_text(RECIPE)

    def start(self, *arguments):
        return super().start("train", *arguments)

    def events(self, name):
        return [json.loads(line) for line in (self.folder / "runs" / name / "metrics.jsonl").read_text().splitlines()]

    def epochs(self, name):
        """Of a run of 21 steps an epoch: none twice, none left out."""
        events = self.events(name)
        epochs = [each["epoch"] for each in events if each["event"] == "epoch"]
        self.assertEqual(sum(each["event"] == "step" for each in events), 21 * len(epochs))
        return epochs

    def weights(self, name):
        return [(self.folder / "runs" / name / file).read_bytes() for file in ("best.safetensors", "model.onnx")]

    def test_learns_and_writes_what_it_measured(self):
        (self.folder / "long.toml").write_text('parent = "recipe.toml"\nname = "long"\n[train]\nepochs = 12\n'
                                               'checkpoint_seconds = 60\n[augment]\nmixup = 0\n')
        out, _ = self.finish("long.toml")
        self.assertRegex(out, r"parameters, 321 pictures to train, 79 to choose the epoch by: epoch \d+ of 12")
        run = self.folder / "runs" / "long"
        events = self.events("long")
        steps = [each for each in events if each["event"] == "step"]
        self.assertEqual(len(steps), 12 * 21)
        self.assertTrue(all(each["learning_rate"] >= 0 and each["gradient_norm"] > 0 for each in steps))
        events = [each for each in events if each["event"] != "step"]
        self.assertEqual([each["event"] for each in events], ["start"] + ["epoch"] * 12 + ["test", "exported"])
        test = events[-2]
        self.assertGreater(test["top1"], 0.8)
        # The network that was written gives the accuracy that was printed, computed by ONNX Runtime.
        session = onnxruntime.InferenceSession(run / "model.onnx", providers=["CPUExecutionProvider"])
        onnx.checker.check_model(str(run / "model.onnx"), full_check=True)
        images = ((self.pictures / 255 - events[0]["mean"][0]) / events[0]["std"][0])[:, None].astype(np.float32)
        logits = session.run(None, {session.get_inputs()[0].name: images})[0]
        self.assertAlmostEqual((logits.argmax(1) == self.labels).mean(), test["top1"], delta=1e-9)

    def test_killed_at_any_instant_it_goes_on_to_the_same_weights(self):
        start = time.monotonic()
        self.finish("recipe.toml", "--out", "runs/whole")
        seconds = time.monotonic() - start
        draw = random.Random(0)
        for kill in range(int(os.environ.get("OUAF_KILLS", "8"))):
            name = f"killed{kill}"
            process = self.start("recipe.toml", "--out", f"runs/{name}")
            time.sleep(draw.uniform(0.1, 1) * seconds)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            run = self.folder / "runs" / name
            if (run / "last.safetensors").exists():
                self.finish("--resume", f"runs/{name}")
            else:  # before the first checkpoint there is nothing to lose
                subprocess.run(["rm", "-rf", run], check=True)
                self.finish("recipe.toml", "--out", f"runs/{name}")
            # Not assertEqual: it would spend hours on describing how megabytes differ.
            self.assertTrue(self.weights(name) == self.weights("whole"), f"kill {kill}: other weights")
            self.assertEqual(self.epochs(name), [1, 2, 3])

    def test_stopped_after_an_epoch_it_goes_on_to_the_same_weights_and_measures(self):
        # Without an average, whose exchange with the weights would hide an evaluation that looks at old weights.
        keys = [word for key in ("epochs=2", "optimizer=adam", "ema=0") for word in ("--set", f"train.{key}")]
        self.finish("recipe.toml", "--out", "runs/whole", *keys)
        out, _ = self.finish("recipe.toml", "--out", "runs/parts", *keys, "--until", "1")
        self.assertIn("stopped and saved; go on with: ouaf train --resume runs/parts", out)

        def measures(name):
            return [each["validation_loss"] for each in self.events(name) if each["event"] == "epoch"]

        whole = measures("whole")
        self.assertEqual(self.epochs("parts"), [1])
        self.assertEqual(measures("parts"), whole[:1])
        self.finish("--resume", "runs/parts", "--until", "1")  # there it is already
        self.assertEqual(self.epochs("parts"), [1])
        self.finish("--resume", "runs/parts", "--until", "2")
        self.assertEqual(self.epochs("parts"), [1, 2])
        self.assertEqual(measures("parts"), whole)
        self.assertTrue(self.weights("parts") == self.weights("whole"))

    def test_an_interrupt_saves_and_says_how_to_go_on(self):
        (self.folder / "endless.toml").write_text('parent = "recipe.toml"\n[train]\nepochs = 10000\n')
        process = self.start("endless.toml", "--out", "runs/a")
        while not (self.folder / "runs/a/last.safetensors").exists():
            time.sleep(0.05)
        _, err = self.finish("--resume", "runs/a", code=1)
        self.assertIn("runs/a: another process trains here", err)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn("stopped and saved; go on with: ouaf train --resume runs/a", out)

    def test_interrupted_in_its_test_it_is_tested_from_the_beginning(self):
        draw = np.random.default_rng(0)
        for label in ("flat", "rough"):
            (self.folder / "photos" / label).mkdir(parents=True)
            for i in range(100):
                pixels = draw.normal(128, 5 if label == "flat" else 60, (64, 64, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(self.folder / "photos" / label / f"{i}.png")
        (self.folder / "photos.toml").write_text('name = "photos"\nnetwork = "resnet18"\ndata = "photos"\n'
                                                 'split = [0.05, 0.05, 0.9]\n[train]\nepochs = 1\nbatch = 8\nsize = 64\n')
        process = self.start("photos.toml")
        for line in process.stderr:
            if "test, float32 weights" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("stopped and saved; go on with: ouaf train --resume runs/photos", out)
        self.assertNotIn("test", [each["event"] for each in self.events("photos")])
        self.finish("--resume", "runs/photos")
        ends = [each for each in self.events("photos") if each["event"] in ("epoch", "test", "exported")]
        self.assertEqual([each["event"] for each in ends], ["epoch", "test", "test", "exported"])
        self.assertEqual([each["photos"] for each in ends[1:3]], [180, 180])
        self.assertTrue((self.folder / "runs/photos/model/model.json").exists())

    def test_what_cannot_be_trained_is_said(self):
        def fails(text, *parts):
            (self.folder / "bad.toml").write_text(text)
            _, err = self.finish("bad.toml", code=1)
            for part in parts:
                self.assertIn(part, err)
            self.assertFalse((self.folder / "runs").exists())

        fails('parent = "recipe.toml"\nnetwork = "resnet"\n', "there is no network 'resnet'", "resnet18, resnet34")
        fails('parent = "recipe.toml"\ndata = "nothing"\n', "nothing: there is no such folder")
        fails('parent = "recipe.toml"\n[train]\noptimizer = "adamn"\n', "'optimizer' must be one of sgd, rmsprop, adam")
        fails('parent = "recipe.toml"\n[train]\nepochs = 1.5\n', "'epochs' must be a whole number")
        fails('parent = "bad.toml"\n', "more than 16 parents")
        _, err = self.finish("recipe.toml", "--set", "train.epoch=3", code=1)
        self.assertIn("--set train.epoch=3: 'epoch' is not a key of a recipe", err)

    def test_a_loss_that_is_no_number_goes_back(self):
        (self.folder / "wild.toml").write_text('parent = "recipe.toml"\nname = "wild"\n[train]\noptimizer = "sgd"\n'
                                               'learning_rate = 1000\nema = 0\n')
        _, err = self.finish("wild.toml", code=1)
        self.assertIn("the loss is no number for the 6th time, though the learning rate was halved each time", err)
        events = (self.folder / "runs/wild/metrics.jsonl").read_text()
        self.assertEqual(events.count('"setback"'), 5)


if __name__ == "__main__":
    unittest.main()
