"""Training on photos as a person meets it: stored once, from scratch and from backbones, in stages, to a bundle.

Environment: OUAF_BINARY."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
import onnxruntime
from PIL import Image

BINARY = os.environ["OUAF_BINARY"]
COLOURS = {"crimson": (200, 30, 60), "olive": (120, 130, 20), "teal": (10, 130, 130), "violet": (140, 60, 200)}
RECIPE = """
name = "scratch"
network = "cats_and_dogs_cnn"
data = "photos"
validation = 0.2
[train]
epochs = 4
batch = 8
size = 32
learning_rate = 0.002
[augment]
crop = [0.5, 1]
flip = 0.5
"""


def write_photo(path, colour, draw):
    """A disc of the class's colour on noise, of any shape."""
    width, height = draw.integers(40, 70, 2)
    y, x = np.mgrid[0:height, 0:width]
    pixels = draw.integers(0, 255, (height, width, 3))
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) * 0.4) ** 2
    pixels[disc] = np.array(colour) + draw.integers(-25, 25, (int(disc.sum()), 3))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=95)


class Photos(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        draw = np.random.default_rng(5)
        for name, colour in COLOURS.items():
            (cls.folder / "photos" / name).mkdir(parents=True)
            for i in range(25):
                write_photo(cls.folder / "photos" / name / f"{i}.jpg", colour, draw)
        (cls.folder / "photos/teal/broken.jpg").write_bytes(b"\xff\xd8 no photo")
        (cls.folder / "recipe.toml").write_text(RECIPE)
        cls.out, cls.err = cls.train("recipe.toml", "--set", "unreadable=0.05")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def run_ouaf(cls, *arguments, code=0):
        done = subprocess.run([BINARY, *arguments], cwd=cls.folder, text=True, capture_output=True,
                              env=os.environ | {"OMP_NUM_THREADS": "1", "OUAF_CACHE": str(cls.folder / "cache")})
        if done.returncode != code:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout, done.stderr

    @classmethod
    def train(cls, *arguments, code=0):
        return cls.run_ouaf("train", *arguments, code=code)

    def events(self, run):
        return [json.loads(line) for line in (self.folder / "runs" / run / "metrics.jsonl").read_text().splitlines()]

    def fine_tune(self, name, text, **kinds):
        (self.folder / f"{name}.toml").write_text(
            f'name = "{name}"\nbackbone = "runs/scratch/model"\ndata = "photos"\nvalidation = 0.2\nunreadable = 0.05\n{text}')
        return self.train(f"{name}.toml", **kinds)

    def accuracy(self, name, split):
        """Of the float32 network by ONNX Runtime, on photos of the run's own list that Pillow prepares; how many."""
        run = self.folder / "runs" / name
        bundle = json.loads((run / "model/model.json").read_text())
        size, resize = bundle["input"]["size"], bundle["preprocess"]["resize"]
        classes = [each["id"] for each in bundle["classes"]]
        self.assertEqual(classes, sorted(COLOURS))
        session = onnxruntime.InferenceSession(run / "model.onnx", providers=["CPUExecutionProvider"])
        right = total = 0
        with open(run / "split.csv") as rows:
            for row in csv.DictReader(rows):
                if row["split"] != split or "broken" in row["file"]:
                    continue
                photo = Image.open(run / row["file"])
                scale = resize / min(photo.size)
                photo = photo.resize([round(side * scale) for side in photo.size], Image.Resampling.BOX)
                left, top = (photo.width - size) // 2, (photo.height - size) // 2
                pixels = np.asarray(photo.crop((left, top, left + size, top + size)), np.float64) / 255
                tensor = ((pixels - bundle["input"]["mean"]) / bundle["input"]["std"]).astype(np.float32)
                logits = session.run(None, {session.get_inputs()[0].name: tensor.transpose(2, 0, 1)[None]})[0]
                right += classes[logits.argmax()] == row["class"]
                total += 1
        return right / total, total

    def measured(self, name):
        return [each for each in self.events(name) if each["event"] == "test"]

    def test_the_bundle_is_as_right_as_onnx_runtime_says(self):
        test = self.measured("scratch")
        self.assertEqual([each["weights"] for each in test], ["float32", "int8"])
        top1, total = self.accuracy("scratch", "test")
        # Pillow's box filter rounds once where ours rounds by rows: one photo on the edge may fall to the other side.
        self.assertAlmostEqual(test[0]["top1"], top1, delta=1.01 / total)
        self.assertGreater(test[0]["top1"], 0.9)
        out, _ = self.run_ouaf("evaluate", "--model", "runs/scratch/model", "--data", "runs/scratch/split.csv", "--json")
        self.assertAlmostEqual(json.loads(out)["top1"], test[1]["top1"])
        report = json.loads((self.folder / "runs/scratch/report/report.json").read_text())
        self.assertEqual((report["photos"], report["top1"]), (total, test[1]["top1"]))

    def test_photos_are_stored_once_and_the_unreadable_named(self):
        self.assertRegex(self.err, r"storing \d+ photos, 0 MB, in .*cache/photos/photos-")
        self.assertIn("photos/teal/broken.jpg", self.err)
        out, err = self.train("recipe.toml", "--out", "runs/again", "--set", "unreadable=0.05", "--set", "train.epochs=1")
        # The broken one is tried again, as it may be mended by now.
        self.assertRegex(err, r"storing 1 photos")
        self.assertIn("epoch 1", out)
        _, err = self.train("recipe.toml", "--out", "runs/strict", "--set", "unreadable=0", code=1)
        self.assertRegex(err, r"photos: 1 of \d+ photos can't be read, such as .*broken.jpg")
        self.assertFalse((self.folder / "runs/strict").exists())

    def test_stages_go_on_from_each_other_and_resume_to_the_same_weights(self):
        text = ('[train]\nepochs = 1\nbatch = 8\nlearning_rate = 0.001\n[[stage]]\ntrain_last = 0\nsize = 24\n'
                '[[stage]]\nepochs = 2\nswa = 0.5\nsize = 24\ntest_size = 40\n[stage.augment]\nflip = 0.5\n')
        self.fine_tune_resnet("staged", text)
        events = self.events("staged")
        self.assertEqual([(each["stage"], each["epoch"]) for each in events if each["event"] == "epoch"],
                         [(1, 1), (2, 2), (2, 3)])
        bundle = json.loads((self.folder / "runs/staged/model/model.json").read_text())
        self.assertEqual((bundle["input"]["size"], bundle["preprocess"]["resize"]), (40, 46))
        for until in ("1", "2"):
            name = f"parts{until}"
            self.train("staged.toml", "--out", f"runs/{name}", "--until", until)
            self.train("--resume", f"runs/{name}")
            self.assertTrue((self.folder / f"runs/{name}/model.onnx").read_bytes() ==
                            (self.folder / "runs/staged/model.onnx").read_bytes(), until)

        out, _ = self.run_ouaf("evaluate", "--model", "runs/staged/model", "--data", "photos", "--sizes", "24,40")
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["size", "24", "40"])

    def fine_tune_resnet(self, name, text):
        """ResNet-18 takes pictures of every size: it has no layer that counts places."""
        if not (self.folder / "runs/resnet").exists():
            (self.folder / "resnet.toml").write_text('parent = "recipe.toml"\nname = "resnet"\nnetwork = "resnet18"\n'
                                                     'unreadable = 0.05\n[train]\nepochs = 2\n')
            self.train("resnet.toml")
        (self.folder / f"{name}.toml").write_text(
            f'name = "{name}"\nbackbone = "runs/resnet/model"\ndata = "photos"\nvalidation = 0.2\nunreadable = 0.05\n{text}')
        return self.train(f"{name}.toml")

    def test_rows_of_known_classes_are_kept(self):
        """No step changes anything: the classes that are left answer as the backbone's own did."""
        self.fine_tune("subset", 'classes = ["teal", "crimson"]\n[train]\nepochs = 1\nlearning_rate = 0\n')
        start = self.events("subset")[0]
        self.assertEqual(start["known_classes"], 2)
        whole = onnxruntime.InferenceSession(self.folder / "runs/scratch/model/model.onnx")
        part = onnxruntime.InferenceSession(self.folder / "runs/subset/model.onnx")
        images = np.random.default_rng(1).normal(size=(4, 3, 32, 32)).astype(np.float32)
        answer = lambda session: session.run(None, {session.get_inputs()[0].name: images})[0]
        np.testing.assert_allclose(answer(part), answer(whole)[:, [0, 2]], rtol=1e-4, atol=1e-4)  # float32 sums

    def test_two_backbones_side_by_side(self):
        """Before any step the head is the mean of the two backbones' heads."""
        self.train("recipe.toml", "--out", "runs/second", "--set", "train.seed=7", "--set", "unreadable=0.05")
        (self.folder / "both.toml").write_text(
            'name = "both"\nbackbone = ["runs/scratch/model", "runs/second/model"]\ndata = "photos"\nunreadable = 0.05\n'
            '[train]\nepochs = 1\nlearning_rate = 0\n')
        self.train("both.toml")
        images = np.random.default_rng(1).normal(size=(4, 3, 32, 32)).astype(np.float32)

        def answer(file):
            session = onnxruntime.InferenceSession(self.folder / "runs" / file)
            return session.run(None, {session.get_inputs()[0].name: images})[0]
        mean = (answer("scratch/model/model.onnx") + answer("second/model/model.onnx")) / 2
        np.testing.assert_allclose(answer("both/model.onnx"), mean, rtol=1e-4, atol=1e-4)  # float32 sums

    def test_what_is_seen_of_a_photo(self):
        """The class is told by a corner that the box and the middle leave out: within them nothing is left to see."""
        draw = np.random.default_rng(3)
        for name in ("n02000001-a", "n02000002-b"):
            for kind in ("Images", "Annotation"):
                (self.folder / "boxed" / kind / name).mkdir(parents=True)
            for i in range(20):
                pixels = np.full((40, 40, 3), 128, np.uint8)
                pixels[:12, :12] = (250, 20, 20) if name.endswith("a") else (20, 20, 250)
                pixels[20:, 20:] = draw.integers(0, 255, 3)
                Image.fromarray(pixels).save(self.folder / "boxed/Images" / name / f"{i}.png")
                (self.folder / "boxed/Annotation" / name / str(i)).write_text(
                    "<annotation><size><width>40</width><height>40</height></size><object><bndbox><xmin>16</xmin>"
                    "<ymin>16</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object></annotation>")
        lists = self.folder / "boxed/lists"
        lists.mkdir()
        for split, numbers in (("train", range(14)), ("test", range(14, 20))):
            (lists / f"{split}_list.txt").write_text("".join(
                f"{name}/{i}.png\n" for name in ("n02000001-a", "n02000002-b") for i in numbers))
        (self.folder / "boxes.toml").write_text('parent = "recipe.toml"\nname = "boxes"\ndata = "boxed"\n'
                                                '[train]\nepochs = 6\nlearning_rate = 0.005\n[augment]\ncrop = [1, 1]\n')
        tops = {}
        for run, key in (("box", "crop_to_box=true"), ("no_box", "crop_to_box=false"),
                         ("middle", "seen_share=0.35"), ("whole", "seen_share=1")):
            self.train("boxes.toml", "--set", key, "--out", f"runs/{run}")
            tops[run] = self.measured(run)[0]["top1"]
        for run in ("no_box", "whole"):
            self.assertEqual(tops[run], 1)
        for run in ("box", "middle"):
            self.assertLess(tops[run], 0.9)  # 12 photos by chance: 11 or more right in 3 of 1,000 draws
        spec = json.loads((self.folder / "runs/whole/model/model.json").read_text())
        self.assertEqual(spec["preprocess"]["resize"], spec["input"]["size"])
        _, err = self.train("boxes.toml", "--set", "seen_share=0.001", "--out", "runs/nothing", code=1)
        self.assertIn("'seen_share' is too small: 'resize' must be at least 'size' and at most 8192 pixels", err)
        _, err = self.train("recipe.toml", "--set", "crop_to_box=true", "--out", "runs/no_boxes", code=1)
        self.assertIn("photos: no photo has a bounding box; leave the recipe's 'crop_to_box' out", err)

    def test_whitened_pictures_are_whitened_by_the_graph(self):
        """Validation saw pictures that the program had whitened; ONNX Runtime sees plain ones, and says the same."""
        (self.folder / "white.toml").write_text(
            'parent = "recipe.toml"\nname = "white"\nnetwork = "cifar10_cnn"\n[train]\nsize = 16\nepochs = 10\n'
            '[augment]\ncrop = [1, 1]\nwhiten = "zca"\nzca_epsilon = 1\n')
        self.train("white.toml", "--set", "unreadable=0.05")
        best = min((each for each in self.events("white") if each["event"] == "epoch"),
                   key=lambda each: each["validation_loss"])
        top1, total = self.accuracy("white", "validation")
        self.assertAlmostEqual(best["validation_top1"], top1, delta=1.01 / total)
        self.assertGreater(top1, 0.5)

    def test_a_teacher_is_followed(self):
        """A fresh student that hears the teacher alone comes to say what the teacher says."""
        text = 'dropout = 0.1\nfresh_head = true\n[train]\nepochs = 6\nbatch = 8\nlearning_rate = 0.002\n[distil]\n' \
               'teachers = "runs/scratch/model"\nweight = 1\n'
        self.fine_tune("taught", text)
        self.assertGreater(self.measured("taught")[0]["top1"], 0.9)
        _, err = self.fine_tune("refused", 'classes = ["teal"]\n[train]\n[distil]\nteachers = "runs/subset2"\n', code=1)
        self.assertIn("runs/subset2: no model bundle is there", err)


if __name__ == "__main__":
    unittest.main()
