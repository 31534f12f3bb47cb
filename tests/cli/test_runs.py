"""What runs leave behind: TensorBoard's files as TensorBoard itself reads them, and `ouaf compare`.

Environment: OUAF_BINARY, OUAF_MODELS (the folder with the released bundles)."""
import csv
import io
import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stripes import BINARY, write_stripes
from test_training import RECIPE

MODELS = pathlib.Path(os.environ["OUAF_MODELS"])


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        write_stripes(cls.folder, 200, 100)
        (cls.folder / "recipe.toml").write_text(RECIPE)
        (cls.folder / "quick.toml").write_text('parent = "recipe.toml"\n[train]\nepochs = 2\nlearning_rate = 0.01\n')
        for name in ("recipe", "quick"):
            result = cls.ouaf("train", f"{name}.toml", "--out", f"runs/{name}")
            assert result.returncode == 0, result.stderr

    @classmethod
    def start(cls, *arguments):
        # One thread, as in test_training.
        return subprocess.Popen([BINARY, *arguments], cwd=cls.folder, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})

    @classmethod
    def ouaf(cls, *arguments):
        process = cls.start(*arguments)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def events(self, run, kind=None):
        lines = (self.folder / "runs" / run / "metrics.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if kind in (None, event["event"])]

    def check_scalars(self, accumulator, run, kind):
        """What TensorBoard read is what was recorded, rounded to float32."""
        events = self.events(run, kind)
        tags = [name for name in events[0] if name not in ("event", "time", kind)]
        self.assertEqual(sorted(accumulator.Tags()["scalars"]), sorted(tags))
        for tag in tags:
            seen = [(s.step, s.value, s.wall_time) for s in accumulator.Scalars(tag)]
            self.assertEqual(seen, [(e[kind], float(np.float32(e[tag])), e["time"]) for e in events])

    def read(self, run):
        files = (self.folder / "runs" / run).glob("*tfevents*")
        self.assertEqual(len([file for file in files if file.stat().st_size > 0]), 1)
        accumulator = EventAccumulator(str(self.folder / "runs" / run), size_guidance={"scalars": 0})
        return accumulator.Reload()

    def test_tensorboard_reads_what_was_recorded(self):
        began = time.time()
        self.check_scalars(self.read("recipe"), "recipe", "epoch")
        events = self.events("recipe", "epoch")
        self.assertEqual([e["epoch"] for e in events], [1, 2, 3])
        self.assertTrue(all(0 < began - e["time"] < 600 for e in events))
        # 160 pictures are 10 steps an epoch; the last step of epoch 3 is the 30th of a cosine over 30.
        self.assertAlmostEqual(events[2]["learning_rate"], 0.002 * (1 + np.cos(np.pi * 29 / 30)) / 2, delta=1e-6)

    def test_a_run_that_goes_on_forgets_what_it_lost(self):
        (self.folder / "endless.toml").write_text('parent = "recipe.toml"\n[train]\nepochs = 10000\n')
        process = self.start("train", "endless.toml", "--out", "runs/endless")
        run = self.folder / "runs" / "endless"

        def wait_for(epochs):
            while not ((run / "metrics.jsonl").exists() and (run / "metrics.jsonl").read_text().count('"epoch",') >= epochs):
                self.assertIsNone(process.poll())
                time.sleep(0.05)

        wait_for(3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        # As if it had been killed later, after two more epochs and half a line, but before a checkpoint.
        last = self.events("endless", "epoch")[-1]
        with open(run / "metrics.jsonl", "a") as file:
            for more in (1, 2):
                file.write(json.dumps(last | {"epoch": last["epoch"] + more}, separators=(",", ":")) + "\n")
            file.write('{"event":"epo')
        watching = self.read("endless")
        done = len(self.events_so_far(run))
        process = self.start("train", "--resume", "runs/endless")
        wait_for(done + 3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        epochs = [e["epoch"] for e in self.events("endless", "epoch")]
        self.assertEqual(epochs, list(range(1, len(epochs) + 1)))
        self.check_scalars(self.read("endless"), "endless", "epoch")
        self.check_scalars(watching.Reload(), "endless", "epoch")  # one that was open all the time

    def events_so_far(self, run):
        return [line for line in (run / "metrics.jsonl").read_text().splitlines() if line.startswith('{"event":"epoch"')]

    def test_heads_have_their_iterations(self):
        rng = np.random.default_rng(0)
        for colour in ((200, 40, 40), (40, 40, 200)):
            for i in range(5):
                path = self.folder / "colours" / str(colour[0]) / f"{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((rng.normal(0, 20, (64, 64, 3)) + colour).clip(0, 255).astype(np.uint8)).save(path)
        (self.folder / "head.toml").write_text(f'name = "head"\nbackbone = "{MODELS / "efficientnetv2_b0"}"\ndata = "colours"\n')
        result = self.ouaf("train", "head.toml")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_scalars(self.read("head"), "head", "iteration")
        result = self.ouaf("compare", "runs/head", "runs/quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = self.table(result.stdout)
        self.assertEqual(rows["state"], ["finished", "finished"])
        self.assertEqual(rows["iterations"], [str(len(self.events("head", "iteration"))), "-"])
        self.assertEqual(rows["epochs"], ["-", "2"])
        self.assertEqual(rows["head.iterations"], ["100", "-"])

    @staticmethod
    def table(text):
        """Cells stand two spaces apart at least."""
        lines = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
        return {line[0]: line[1:] for line in lines[1:]} | {"": lines[0]}

    def test_runs_side_by_side(self):
        runs = ("recipe", "quick")
        result = self.ouaf("compare", *(f"runs/{run}" for run in runs))
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = self.table(result.stdout)
        self.assertEqual(rows[""], ["runs/recipe", "runs/quick"])
        self.assertEqual(rows["train.epochs"], ["3", "2"])
        self.assertEqual(rows["train.learning_rate"], ["0.002", "0.01"])
        self.assertNotIn("train.optimizer", rows)  # the same in both
        best = [min(self.events(run, "epoch"), key=lambda e: e["validation_loss"]) for run in runs]
        test = [self.events(run, "test")[0] for run in runs]
        self.assertEqual(rows["best epoch"], [str(e["epoch"]) for e in best])
        self.assertEqual(rows["validation loss"], [f"{e['validation_loss']:.4f}" for e in best])
        self.assertEqual(rows["validation top-1"], [f"{100 * e['validation_top1']:.2f} %" for e in best])
        self.assertEqual(rows["test top-1"], [f"{100 * e['top1']:.2f} %" for e in test])
        self.assertEqual(rows["test loss"], [f"{e['cross_entropy']:.4f}" for e in test])
        self.assertEqual(rows["parameters"], [f"{self.events(run, 'start')[0]['parameters']:,}" for run in runs])

    def test_one_table_of_all_epochs(self):
        result = self.ouaf("compare", "runs/recipe", "runs/quick", "--csv")
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        events = [(f"runs/{run}", event) for run in ("recipe", "quick") for event in self.events(run, "epoch")]
        self.assertEqual(len(rows), 5)
        for row, (run, event) in zip(rows, events):
            self.assertEqual(row["run"], run)
            for name, value in event.items():
                if name != "event":
                    self.assertEqual(float(row[name]), value)

    def fake(self, name, lines):
        run = self.folder / "runs" / name
        run.mkdir()
        (run / "recipe.toml").write_text(f'name = "{name}"\nnew_key = 3\n')
        (run / "metrics.jsonl").write_text(lines)
        return run

    def test_what_is_broken_or_new_or_no_run(self):
        self.fake("odd", '{"event":"epoch","epoch":1,"validation_loss":0.5}\nrubbish\n{"event":"from the future","x":[1]}\n{"eve')
        result = self.ouaf("compare", "runs/odd", "runs/quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("runs/odd/metrics.jsonl: 1 lines are no events", result.stderr)
        rows = self.table(result.stdout)
        self.assertEqual(rows["state"], ["unfinished", "finished"])
        self.assertEqual(rows["new_key"], ["3", "-"])
        self.fake("fresh", "")
        self.assertEqual(self.ouaf("compare", "runs/fresh").returncode, 0)
        self.assertEqual(self.ouaf("compare", "runs/fresh", "--csv").stdout, "run\n")
        for path, cause in (("runs/none", "runs/none: there is no such folder"), ("data", "data: is no run, as it has no recipe.toml")):
            result = self.ouaf("compare", "runs/quick", path)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(cause, result.stderr)
        self.assertEqual(self.ouaf("compare").returncode, 2)

    def test_a_long_run_is_read_at_once(self):
        # A million lines take 0.8 s of one core: a fifth of them in 2 s leaves a slow machine much room.
        # Processor time: others may use this machine too.
        line = ('{{"event":"epoch","epoch":{0},"loss":0.123456789012{0},"validation_loss":0.23456789012{0},"validation_top1":0.98765432,'
                '"validation_top5":0.998765,"learning_rate":0.000123456,"images_per_second":1234.567890,"time":1764091234.123}}\n')
        self.fake("long", "".join(line.format(i) for i in range(1, 200_001)))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = self.ouaf("compare", "runs/long")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
        self.assertEqual(self.table(result.stdout)["epochs"], ["200,000"])


if __name__ == "__main__":
    unittest.main()
