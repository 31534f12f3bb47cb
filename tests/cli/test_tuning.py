"""Searches as a person meets them: they end with a table, are stopped and killed and go on, and outlive failing trials.

Environment: OUAF_BINARY."""
import csv
import itertools
import json
import os
import pathlib
import re
import signal
import time
import tomllib
import unittest

import numpy as np

from stripes import Program, write_stripes

RECIPE = """
name = "stripes"
network = "mlp"
data = "data"
validation = 0.2
[train]
epochs = 2
batch = 16
optimizer = "sgd"
checkpoint_seconds = 0
"""
GRID = """
recipe = "recipe.toml"
[space]
"train.learning_rate" = [0.1, 0.003]
"train.nesterov" = [true, false]
"""


class Tuning(Program):
    def setUp(self):
        super().setUp()
        write_stripes(self.folder, 400, 50)
        (self.folder / "recipe.toml").write_text(RECIPE)
        (self.folder / "grid.toml").write_text(GRID)

    def wait_for(self, path):
        deadline = time.monotonic() + 60
        while not (self.folder / path).exists():
            self.assertLess(time.monotonic(), deadline, f"no {path}")
            time.sleep(0.01)

    def rows(self, name):
        with open(self.folder / "runs" / name / "trials.csv", newline="") as file:
            return list(csv.DictReader(file))

    def epochs(self, run):
        lines = (self.folder / "runs" / run / "metrics.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == "epoch"]

    def records(self, name):
        return [json.loads(line) for line in (self.folder / "runs" / name / "trials.jsonl").read_text().splitlines()]

    def without_times(self, name):
        return [{key: value for key, value in row.items() if key != "seconds"} for row in self.rows(name)]

    def test_a_grid_ends_with_a_table_and_goes_on_where_it_was_killed(self):
        out, _ = self.finish("tune", "grid.toml")
        grid = list(itertools.product((0.1, 0.003), ("true", "false")))
        rows = self.rows("grid")
        self.assertEqual(sorted(int(row["trial"]) for row in rows), [0, 1, 2, 3])
        for row in rows:
            trial = int(row["trial"])
            self.assertEqual((float(row["train.learning_rate"]), row["train.nesterov"]), grid[trial])
            epochs = self.epochs(f"grid/trials/{trial:03}")
            best = min(epochs, key=lambda epoch: epoch["validation_loss"])
            self.assertEqual(float(row["best_validation_loss"]), best["validation_loss"])
            self.assertEqual(int(row["best_epoch"]), best["epoch"])
            self.assertEqual(float(row["last_validation_top1"]), epochs[-1]["validation_top1"])
            self.assertGreater(float(row["seconds"]), 0)
        losses = [float(row["best_validation_loss"]) for row in rows]
        self.assertEqual(losses, sorted(losses))
        table, _ = self.finish("tune", "--show", "runs/grid")
        self.assertIn(table, out)
        self.assertEqual([line.split()[0] for line in table.splitlines()], ["trial", *(row["trial"] for row in rows)])

        # The best trial is what its recipe trains without any search.
        best = tomllib.loads((self.folder / "runs/grid/best.toml").read_text())
        self.assertEqual(best["parent"], "recipe.toml")
        self.assertEqual(best["train"]["learning_rate"], float(rows[0]["train.learning_rate"]))
        self.finish("train", "runs/grid/best.toml", "--out", "runs/alone")
        alone = [epoch["validation_loss"] for epoch in self.epochs("alone")]
        self.assertEqual(alone, [each["validation_loss"] for each in self.epochs(f"grid/trials/{int(rows[0]['trial']):03}")])

        # Ctrl-C in the first trial; then killed, the search and so its trial, in the third; then to its end.
        process = self.start("tune", "grid.toml", "--out", "runs/again")
        self.wait_for("runs/again/trials/000/last.safetensors")
        _, err = self.finish("train", "--resume", "runs/again/trials/000", code=1)
        self.assertIn("another process trains here", err)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn("stopped and saved; go on with: ouaf tune --resume runs/again", out)
        process = self.start("tune", "--resume", "runs/again")
        self.wait_for("runs/again/trials/002/last.safetensors")
        process.kill()
        process.communicate()
        with open(self.folder / "runs/again/trials.jsonl", "a") as file:
            file.write('{"trial": 2, "run')  # as if it had been at it
        self.finish("tune", "grid.toml", "--out", "runs/again")
        self.assertEqual(self.without_times("again"), self.without_times("grid"))
        self.assertEqual([record["trial"] for record in self.records("again")], [0, 1, 2, 3])
        for trial in range(4):
            weights = [(self.folder / f"runs/{name}/trials/{trial:03}/model.onnx").read_bytes() for name in ("grid", "again")]
            self.assertTrue(weights[0] == weights[1], f"trial {trial}: other weights")

        # What is finished stays as it is, and another search is kept out.
        before = (self.folder / "runs/again/trials.jsonl").read_bytes()
        self.finish("tune", "grid.toml", "--out", "runs/again")
        self.assertEqual((self.folder / "runs/again/trials.jsonl").read_bytes(), before)
        (self.folder / "other.toml").write_text(GRID.replace("0.003", "0.004"))
        _, err = self.finish("tune", "other.toml", "--out", "runs/again", code=1)
        self.assertIn("runs/again: holds another search; choose another folder with --out", err)

    def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(self):
        (self.folder / "wild.toml").write_text(
            'recipe = "recipe.toml"\nparallel = 2\n[space]\n"train.learning_rate" = [1000, 0.01, 0.02]\n')
        process = self.start("tune", "wild.toml")
        # The second trial is killed as the system kills what takes too much memory.
        self.wait_for("runs/wild/trials/001/last.safetensors")
        for child in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            if b"runs/wild/trials/001" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        rows = self.rows("wild")
        self.assertEqual([row["trial"] for row in rows], ["2", "0", "1"])
        self.assertEqual([row["state"] for row in rows], ["done", "failed", "failed"])
        self.assertIn("the loss is no number for the 6th time", rows[1]["failure"])
        self.assertEqual(rows[2]["failure"], "was ended by signal 9 (Killed)")
        self.assertRegex(out, r"trial 0  train.learning_rate=1000  failed: the loss is no number")
        self.assertRegex(out, r"\n +0 +1000 .*failed: the loss is no number")

        (self.folder / "hopeless.toml").write_text(GRID.replace("0.1, 0.003", "1000").replace("true, false", "true"))
        _, err = self.finish("tune", "hopeless.toml", code=1)
        self.assertIn("runs/hopeless: every trial failed; their causes are in trials.csv", err)

    def test_asha_trains_the_better_half_further(self):
        (self.folder / "asha.toml").write_text(
            'recipe = "long.toml"\nmethod = "asha"\ntrials = 4\nseed = 2\nfactor = 2\nmonitor = "validation_top1"\n'
            '[space]\n"train.learning_rate" = { low = 1e-4, high = 0.1, log = true }\n')
        (self.folder / "long.toml").write_text('parent = "recipe.toml"\n[train]\nepochs = 4\nschedule = "cosine"\n')
        self.finish("tune", "asha.toml")
        records = self.records("asha")
        # What ought to have climbed, worked out here from the measures alone.
        top1 = {(record["trial"], record["rung"]): record["best"]["validation_top1"] for record in records}
        expected, rungs = [], ([], [], [])
        while True:
            for rung in (1, 0):
                ranked = sorted(rungs[rung], key=lambda trial: (-top1[trial, rung], trial))[: len(rungs[rung]) // 2]
                climbing = [trial for trial in ranked if trial not in rungs[rung + 1]]
                if climbing:
                    job = (climbing[0], rung + 1)
                    break
            else:
                if len(rungs[0]) == 4:
                    break
                job = (len(rungs[0]), 0)
            expected.append(job)
            rungs[job[1]].append(job[0])
        self.assertEqual([(record["trial"], record["rung"]) for record in records], expected)
        self.assertEqual([len(rung) for rung in rungs], [4, 2, 1])
        self.assertEqual([record["last"]["epoch"] for record in records], [(1, 2, 4)[rung] for _, rung in expected])
        # A trial that was trained in three parts is what it would have been in one.
        trial = rungs[2][0]
        rate = records[-1]["set"][0]
        self.finish("train", "long.toml", "--set", rate, "--out", "runs/alone")
        self.assertEqual([epoch["validation_loss"] for epoch in self.epochs("alone")],
                         [epoch["validation_loss"] for epoch in self.epochs(f"asha/trials/{trial:03}")])

    def test_the_rate_finder_says_where_the_loss_falls(self):
        out, _ = self.finish("train", "recipe.toml", "--find-rate", "--set", "train.batch=4")
        self.assertFalse((self.folder / "runs").exists())
        rates, losses, smoothed = np.loadtxt(self.folder / "rates.csv", delimiter=",", skiprows=1).T
        self.assertLessEqual(len(rates), 81)  # 321 pictures by 4
        ratios = rates[1:] / rates[:-1]
        np.testing.assert_allclose(ratios, 1e8 ** (1 / 80), rtol=1e-6)  # the file has nine digits
        weights = 0.98 ** np.arange(len(losses))
        means = [(losses[: n + 1] * weights[n::-1]).sum() / weights[: n + 1].sum() for n in range(len(losses))]
        np.testing.assert_allclose(smoothed, means, rtol=1e-6)
        first, last = len(rates) // 10, len(rates) - 5
        steepest = first + np.argmin(np.diff(smoothed[first:last]))
        self.assertEqual(re.search(r"try --set train.learning_rate=(\S+)", out)[1], f"{rates[steepest]:.1e}")
        self.assertGreater(smoothed[-1], 4 * smoothed.min())  # plain SGD runs away long before the rate is 10


if __name__ == "__main__":
    unittest.main()
