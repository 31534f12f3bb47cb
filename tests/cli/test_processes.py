"""Training in several processes is training in one: the same losses, one run directory, no hanging.

Environment: OUAF_BINARY. The part with torchrun needs the reference environment's PyTorch."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stripes import BINARY, write_stripes  # noqa: E402

# Plain gradient descent: an optimizer that divides by a gradient's size makes much of the last bit of small ones. 75
# pictures in batches of 16 end with one of 11, an odd one; its pairs are cut unevenly.
RECIPE = """
name = "stripes"
network = "mlp"
dropout = 0
data = "data"
validation = 0.25
[train]
epochs = 3
batch = 16
optimizer = "sgd"
learning_rate = 0.05
ema = 0.9
clip = 2
checkpoint_seconds = 0
[augment]
shift = 0.1
flip = 0.5
erase = 0.3
mixup = 0.2
cutmix = 1
"""
STEPS = 5  # an epoch


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        write_stripes(self.folder, 100, 50)
        (self.folder / "recipe.toml").write_text(RECIPE)

    def start(self, environment, *command):
        process = subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=os.environ | {"OMP_NUM_THREADS": "1"} | environment)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def group(self, count, *arguments):
        port = str(free_port())
        return [self.start({"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank),
                            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}, BINARY, "train", *arguments)
                for rank in range(count)]

    def finish(self, processes, seconds=60):
        said = []
        for process in processes:
            out, err = process.communicate(timeout=seconds)
            self.assertEqual(process.returncode, 0, out + err)
            said.append(out)
        return said

    def train(self, count, *arguments):
        return self.finish(self.group(count, *arguments) if count > 1 else [self.start({}, BINARY, "train", *arguments)])

    def events(self, name, kind):
        lines = (self.folder / "runs" / name / "metrics.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    # Sums of float32 in another order: 1e-7 of a gradient at a step, carried on for 15 of them.
    def expect_same_run(self, one, other, tolerance=1e-5):
        for kind, keys in (("step", ("loss", "gradient_norm", "epoch", "learning_rate")),
                           ("epoch", ("loss", "validation_loss", "validation_top1", "epoch")),
                           ("test", ("cross_entropy", "top1"))):
            ours, theirs = self.events(one, kind), self.events(other, kind)
            self.assertEqual(len(ours), len(theirs))
            self.assertGreater(len(ours), 0)
            for key in keys:
                np.testing.assert_allclose([each[key] for each in theirs], [each[key] for each in ours], rtol=0,
                                           atol=tolerance, err_msg=f"{kind} {key}")

    def test_the_number_of_processes_does_not_change_the_run(self):
        one, = self.train(1, "recipe.toml", "--out", "runs/one")
        self.assertEqual(len(self.events("one", "step")), 3 * STEPS)
        for count in (2, 3):
            first, *others = self.train(count, "recipe.toml", "--out", f"runs/{count}")
            self.expect_same_run("one", str(count))
            # The same best epoch, in the line that says it; the others say nothing.
            line = "parameters, 75 pictures to train, 25 to choose the epoch by: epoch"
            self.assertEqual([each for each in first.splitlines() if line in each],
                             [each for each in one.splitlines() if line in each])
            self.assertEqual("".join(others), "")
        self.assertEqual(sorted(run.name for run in (self.folder / "runs").iterdir()), ["2", "3", "one"])

    def test_a_batch_of_fewer_pictures_than_processes_counts_once(self):
        batch = ["--set", "train.batch=37", "--set", "train.epochs=2"]  # 37, 37 and a last one of a single picture
        self.train(1, "recipe.toml", "--out", "runs/one", *batch)
        self.train(2, "recipe.toml", "--out", "runs/two", *batch)
        self.expect_same_run("one", "two")

    def test_batch_norms_and_accumulation_go_on_to_the_same_weights(self):
        """Batches are normalised by each process's own pictures, so losses are others than of one process."""
        changes = ["--set", "network=cifar10_cnn", "--set", "train.accumulate=2", "--set", "train.epochs=2"]
        self.train(2, "recipe.toml", "--out", "runs/two", *changes)
        self.train(2, "recipe.toml", "--out", "runs/parts", *changes, "--until", "1")
        self.train(2, "--resume", "runs/parts")
        for file in ("best.safetensors", "model.onnx"):
            self.assertTrue((self.folder / "runs/two" / file).read_bytes() ==
                            (self.folder / "runs/parts" / file).read_bytes(), file)

    def test_batch_norms_of_the_whole_batch_train_as_one_process(self):
        (self.folder / "norms.toml").write_text(RECIPE.replace('"mlp"\ndropout = 0', '"resnet18"'))
        for batch in (25, 73):  # 73 leaves a batch of one picture, which the second process only repeats
            with self.subTest(batch=batch):
                changes = ["--set", "train.epochs=1", "--set", f"train.batch={batch}"]
                self.train(1, "norms.toml", "--out", f"runs/one{batch}", *changes)
                self.train(2, "norms.toml", "--out", f"runs/two{batch}", *changes, "--set", "train.sync_batch_norms=true")
                # Twenty layers carry the last bits of their statistics on: 1e-4 of the gradient's norm of 7.
                self.expect_same_run(f"one{batch}", f"two{batch}", tolerance=1e-3)
        # Without the flag each process normalises by its own pictures: another run.
        self.train(2, "norms.toml", "--out", "runs/own", *changes)
        own, whole = (self.events(name, "step")[0]["gradient_norm"] for name in ("own", "one73"))
        self.assertGreater(abs(own - whole), 0.1)

    def test_resumes_with_any_number_of_processes(self):
        self.train(1, "recipe.toml", "--out", "runs/one")
        self.train(2, "recipe.toml", "--out", "runs/parts", "--until", "1")
        self.assertEqual(len(self.events("parts", "epoch")), 1)
        self.train(3, "--resume", "runs/parts", "--until", "2")
        self.train(1, "--resume", "runs/parts")
        self.expect_same_run("one", "parts")

    def endless(self):
        processes = self.group(2, "recipe.toml", "--out", "runs/endless", "--set", "train.epochs=100000")
        deadline = time.monotonic() + 30
        while not (self.folder / "runs/endless/best.safetensors").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        return processes

    def test_a_process_that_dies_ends_the_others(self):
        for dying in (0, 1):
            with self.subTest(dying=dying):
                processes = self.endless()
                processes[dying].send_signal(signal.SIGKILL)
                other = processes[1 - dying]
                _, err = other.communicate(timeout=10)
                self.assertEqual(other.returncode, 1)
                self.assertIn(f"ouaf: process {2 - dying} of 2 has lost the others: one of them has ended", err)
                subprocess.run(["rm", "-r", self.folder / "runs"], check=True)

    def test_an_interrupt_of_any_process_stops_all_at_the_same_step(self):
        processes = self.endless()
        processes[1].send_signal(signal.SIGINT)
        first, other = self.finish(processes, 10)
        self.assertIn("stopped and saved; go on with: ouaf train --resume runs/endless", first)
        self.assertEqual(other, "")

    def test_what_makes_no_sense_is_said(self):
        def fails(environment, message, *arguments):
            process = self.start(environment, BINARY, "train", "recipe.toml", *arguments)
            _, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 1)
            self.assertIn(message, err)

        fails({"RANK": "2", "WORLD_SIZE": "2"}, "RANK='2': must be a whole number from 0 to 1")
        fails({"RANK": "0", "WORLD_SIZE": "two"}, "WORLD_SIZE='two': must be a whole number")
        fails({"RANK": "0", "WORLD_SIZE": "2"}, "MASTER_ADDR is not set, and this is one of 2 processes")
        fails({"SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_NTASKS": "4"},
              "MASTER_ADDR is not set, and this is one of 4 processes")

    def test_a_device_that_is_not_there_is_said(self):
        self.train(1, "recipe.toml", "--out", "runs/auto", "--set", "train.epochs=1")
        device = self.events("auto", "start")[0]["device"]
        if device != "cpu":
            self.skipTest(f"there is a GPU: {device}")
        process = self.start({}, BINARY, "train", "recipe.toml", "--out", "runs/cuda", "--device", "cuda")
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(err, r"^ouaf: --device cuda: (there is no NVIDIA driver \(libcuda.so.1: .*\); install it|"
                              r"the NVIDIA driver finds no GPU .*|LibTorch's CUDA library can't be loaded .*|"
                              r".* finds no GPU that it can use; .*), or train with --device cpu\n$")
        self.assertFalse((self.folder / "runs/cuda").exists())

    def test_slurm_tasks_form_a_group(self):
        port = str(free_port())
        tasks = [self.start({"SLURM_STEP_ID": "0", "SLURM_PROCID": str(rank), "SLURM_NTASKS": "2",
                             "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
                            BINARY, "train", "recipe.toml", "--out", "runs/slurm", "--set", "train.epochs=1")
                 for rank in range(2)]
        first, other = self.finish(tasks)
        self.assertIn("epoch 1 ", first)
        self.assertEqual(other, "")

    def test_torchrun_starts_them(self):
        try:
            import torch.distributed.run  # noqa: F401
        except ImportError as error:
            self.skipTest(f"without torchrun: {error}")
        self.train(1, "recipe.toml", "--out", "runs/one")
        self.finish([self.start({}, sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
                                "--no-python", BINARY, "train", "recipe.toml", "--out", "runs/torchrun")])
        self.expect_same_run("one", "torchrun")


if __name__ == "__main__":
    unittest.main()
