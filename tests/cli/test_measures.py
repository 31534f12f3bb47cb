"""`ouaf evaluate` and `ouaf calibrate` against ONNX Runtime and formulas in numpy: per-class measures, calibration, mistakes, views.

Environment: OUAF_BINARY."""
import csv
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

BINARY = os.environ["OUAF_BINARY"]
SIZE, RESIZE, TEMPERATURE = 28, 40, 1.7
CLASSES = [f"class{i}" for i in range(6)]


def ouaf(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=300)


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def cross_entropy(z, labels):
    return -log_softmax(z)[np.arange(len(labels)), labels].mean()


def calibration_error(probabilities, labels):
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    edges = np.linspace(0, 1, 16)
    error = 0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def calibration_error_by_chance(probabilities, draws=4000):
    """The mean calibration error of labels drawn from the probabilities themselves, and its standard error."""
    rng = np.random.default_rng(2)
    confidence = probabilities.max(1)
    bins = np.ceil(confidence * 15).astype(int)
    hits = rng.random((draws, len(confidence))) < confidence
    errors = sum(abs((hits - confidence)[:, bins == b].sum(1)) for b in range(16)) / len(confidence)
    return errors.mean(), errors.std() / np.sqrt(draws)


def best_temperature(z, labels):
    """Golden section on the logarithm of the temperature."""
    low, high, ratio = np.log(0.01), np.log(100), (np.sqrt(5) - 1) / 2
    loss = lambda t: cross_entropy(z / np.exp(t), labels)
    for _ in range(80):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(a) < loss(b):
            high = b
        else:
            low = a
    return np.exp((low + high) / 2)


class Measures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.make_bundle()
        cls.make_pictures()
        cls.session = onnxruntime.InferenceSession(cls.folder / "bundle" / "model.onnx", providers=["CPUExecutionProvider"])

    @classmethod
    def make_bundle(cls):
        """A network of random weights that looks at places: its answers differ from view to view."""
        rng = np.random.default_rng(0)
        constants = {"w": rng.normal(0, 0.3, (8, 3, 7, 7)).astype(np.float32),
                     "head": rng.normal(0, 0.5, (8 * 16, len(CLASSES))).astype(np.float32)}
        nodes = [helper.make_node("Conv", ["x", "w"], ["c"], strides=[7, 7]), helper.make_node("Relu", ["c"], ["r"]),
                 helper.make_node("Flatten", ["r"], ["f"]), helper.make_node("Gemm", ["f", "head"], ["y"])]
        graph = helper.make_graph(nodes, "places", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", len(CLASSES)])],
                                  [numpy_helper.from_array(value, name) for name, value in constants.items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), cls.folder / "places.onnx")
        (cls.folder / "places.json").write_text(json.dumps({
            "architecture": "small", "licence": "MIT", "input": {"size": SIZE, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]},
            "resize": {"filter": "bilinear", "crop_fraction": SIZE / RESIZE}}))
        # The second class's name has what a table must quote.
        (cls.folder / "classes.tsv").write_text("".join(f'{c}\t{c}, "the" one\n' if c == "class1" else f"{c}\n" for c in CLASSES))
        result = ouaf("import", cls.folder / "places.onnx", "--classes", cls.folder / "classes.tsv", "--out", cls.folder / "bundle",
                      "--float32")
        assert result.returncode == 0, result.stderr
        description = cls.folder / "bundle" / "model.json"
        bundle = json.loads(description.read_text())
        bundle["temperature"] = TEMPERATURE
        description.write_text(json.dumps(bundle))

    @classmethod
    def make_pictures(cls):
        """Blobs of colour, of five of the six classes. PNG: what Pillow reads is what ouaf reads."""
        rng = np.random.default_rng(1)
        cls.files, cls.labels = [], []
        for label in range(5):
            for i in range(12):
                height, width = rng.integers(45, 90, 2)
                small = rng.uniform(0, 255, (5, 7, 3)).astype(np.uint8)
                path = cls.folder / "data" / CLASSES[label] / f"{i:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(small).resize((int(width), int(height)), Image.Resampling.BICUBIC).save(path)
                cls.files.append(str(path))
                cls.labels.append(label)
        cls.labels = np.array(cls.labels)

    def views(self, path, tta):
        picture = Image.open(path)
        short = min(picture.size)
        width, height = ((side * RESIZE + short // 2) // short for side in picture.size)
        pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float64) / 255
        pixels = ((pixels - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.25]).transpose(2, 0, 1)
        right, bottom = width - SIZE, height - SIZE
        places = [(right // 2, bottom // 2)]
        if tta in ("five_crop", "ten_crop"):
            places += [(0, 0), (right, 0), (0, bottom), (right, bottom)]
        crops = [pixels[:, y:y + SIZE, x:x + SIZE] for x, y in places]
        if tta in ("flip", "ten_crop"):
            crops += [crop[:, :, ::-1] for crop in crops]
        return np.stack(crops).astype(np.float32)

    def scores(self, tta):
        """Logits of which softmax gives the answer, float64: [photos, classes]."""
        logits = [self.session.run(None, {"x": self.views(path, tta)})[0].astype(np.float64) for path in self.files]
        if tta == "none":
            return np.concatenate(logits) / TEMPERATURE
        return np.log(np.stack([np.exp(log_softmax(each / TEMPERATURE)).mean(0) for each in logits]))

    def evaluate(self, *arguments):
        result = ouaf("evaluate", "--model", self.folder / "bundle", "--data", self.folder / "data", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def check_scalars(self, figures, scores):
        # Float32 logits of two libraries agree within about 1e-5; so do what depends smoothly on them.
        labels = self.labels
        order = np.argsort(-scores, axis=1)
        self.assertAlmostEqual(figures["top1"], (order[:, 0] == labels).mean(), delta=1e-12)
        self.assertAlmostEqual(figures["top5"], (order[:, :5] == labels[:, None]).any(1).mean(), delta=1e-12)
        self.assertAlmostEqual(figures["cross_entropy"], cross_entropy(scores, labels), delta=1e-4)
        self.assertAlmostEqual(figures["ece"], calibration_error(np.exp(log_softmax(scores)), labels), delta=1e-4)
        mean, error = calibration_error_by_chance(np.exp(log_softmax(scores)))
        self.assertAlmostEqual(figures["ece_by_chance"], mean, delta=5 * error)  # one in a million beyond it by chance
        raw = scores * figures["temperature"]
        best = best_temperature(raw, labels)
        self.assertAlmostEqual(figures["best_temperature"], best, delta=1e-4 * best)
        self.assertAlmostEqual(figures["best_cross_entropy"], cross_entropy(raw / best, labels), delta=1e-4)
        self.assertAlmostEqual(figures["best_ece"], calibration_error(np.exp(log_softmax(raw / best)), labels), delta=1e-4)

    def test_every_view_of_every_photo(self):
        seen = []
        for tta in ("none", "flip", "five_crop", "ten_crop"):
            with self.subTest(tta):
                scores = self.scores(tta)
                figures = json.loads(self.evaluate("--tta", tta, "--json"))
                self.assertEqual((figures["tta"], figures["photos"]), (tta, len(self.files)))
                self.assertEqual(figures["temperature"], TEMPERATURE if tta == "none" else 1)
                self.check_scalars(figures, scores)
                seen.append(figures["cross_entropy"])
        self.assertEqual(len({round(each, 3) for each in seen}), 4)  # the views do differ, or nothing was compared

    def test_the_report_says_what_the_formulas_say(self):
        scores = self.scores("none")
        odds, answers = np.exp(log_softmax(scores)), scores.argmax(1)
        self.evaluate("--report", self.folder / "report")
        whole = json.loads((self.folder / "report" / "report.json").read_text())
        self.check_scalars(whole, scores)

        counts = np.zeros((6, 6), int)
        np.add.at(counts, (self.labels, answers), 1)
        table = read_csv(self.folder / "report" / "confusion.csv")
        self.assertEqual([[int(row[c]) for c in CLASSES] for row in table], counts.tolist())
        self.assertEqual([row["class"] for row in table], CLASSES)

        rows = read_csv(self.folder / "report" / "classes.csv")
        self.assertEqual(rows[1]["name"], 'class1, "the" one')
        right, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
        precision = right / np.maximum(predicted, 1)
        recall = right / np.maximum(support, 1)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
        for i, row in enumerate(rows):
            self.assertEqual((int(row["support"]), int(row["predicted"])), (support[i], predicted[i]))
            for name, value in (("precision", precision[i]), ("recall", recall[i]), ("f1", f1[i])):
                self.assertAlmostEqual(float(row[name]), value, delta=1e-12)
                self.assertAlmostEqual(whole["classes"][i][name], value, delta=1e-12)
        for name, value in (("precision", precision), ("recall", recall), ("f1", f1)):
            self.assertAlmostEqual(whole["macro_" + name], value[support > 0].mean(), delta=1e-12)

        pairs = counts + counts.T
        expected = {(CLASSES[i], CLASSES[j]): pairs[i, j] for i in range(6) for j in range(i + 1, 6) if pairs[i, j]}
        rows = read_csv(self.folder / "report" / "lookalikes.csv")
        self.assertEqual({(row["first"], row["second"]): int(row["total"]) for row in rows}, expected)
        totals = [int(row["total"]) for row in rows]
        self.assertEqual(totals, sorted(totals, reverse=True))

        wrong = np.flatnonzero(answers != self.labels)
        self.assertGreater(len(wrong), 10)
        rows = read_csv(self.folder / "report" / "mistakes.csv")
        losses = {self.files[i]: -np.log(odds[i, self.labels[i]]) for i in wrong}
        self.assertEqual([row["file"] for row in rows], sorted(losses, key=losses.get, reverse=True))
        for row in rows:
            i = self.files.index(row["file"])
            self.assertEqual((row["true"], row["predicted"]), (CLASSES[self.labels[i]], CLASSES[answers[i]]))
            self.assertAlmostEqual(float(row["loss"]), losses[row["file"]], delta=1e-4)
            self.assertAlmostEqual(float(row["true_probability"]), odds[i, self.labels[i]], delta=1e-5)
            self.assertAlmostEqual(float(row["predicted_probability"]), odds[i, answers[i]], delta=1e-5)

        rows = read_csv(self.folder / "report" / "photos.csv")
        self.assertEqual(sorted(row["file"] for row in rows), sorted(self.files))
        for row in rows:
            i = self.files.index(row["file"])
            self.assertEqual(row["true"], CLASSES[self.labels[i]])
            self.assertAlmostEqual(float(row["true_probability"]), odds[i, self.labels[i]], delta=1e-5)
            best = np.argsort(-odds[i], kind="stable")[:5]
            self.assertEqual([row[f"class_{place}"] for place in range(1, 6)], [CLASSES[each] for each in best])
            np.testing.assert_allclose([float(row[f"probability_{place}"]) for place in range(1, 6)], odds[i, best],
                                       atol=1e-5)

    def test_the_summary_names_pairs_and_classes(self):
        text = self.evaluate()
        for part in ("top-1 ", "top-5 ", "cross-entropy ", "ECE ", "temperature    1.7, best on these photos ", "most confused\n",
                     "weakest\n"):
            self.assertIn(part, text)
        self.assertLessEqual(len(text.splitlines()), 25)

    def test_thresholds_divide_the_photos_best(self):
        shutil.copytree(self.folder / "bundle", self.folder / "doubting")
        names = ["elsewhere" if label == 4 else "nearby" if label == 5 else CLASSES[label] for label in self.labels]
        with open(self.folder / "doubts.csv", "w", newline="") as file:
            csv.writer(file).writerows(zip(map(str, self.files), names))
        names, scores = np.array(names), self.scores("none")
        largest, odds = scores.max(1) * TEMPERATURE, np.exp(log_softmax(scores)).max(1)
        known = np.isin(names, CLASSES)
        right = (scores.argmax(1) == self.labels)[known]
        share_from = lambda threshold: right[odds[known] >= threshold].mean()
        wanted = sorted(map(share_from, odds[known]))[-1]

        arguments = ["calibrate", self.folder / "doubting", "--data", self.folder, "--list", self.folder / "doubts.csv"]
        result = ouaf(*arguments, "--none", "elsewhere", "--right", wanted - 1e-9)
        self.assertEqual(result.returncode, 0, result.stderr)
        bundle = json.loads((self.folder / "doubting/model.json").read_text())
        above, below = largest[names != "elsewhere"], largest[names == "elsewhere"]
        self.assertRegex(result.stdout, f"AUROC +{(above[:, None] > below).mean():.4f}")
        youden = lambda threshold: (above >= threshold).mean() - (below >= threshold).mean()
        self.assertAlmostEqual(youden(bundle["none_below"]), max(map(youden, largest)), delta=1e-9)
        trusted = min(p for p in odds[known] if share_from(p) >= wanted)
        self.assertGreater(trusted, odds[known].min())
        self.assertAlmostEqual(bundle["unsure_below"], trusted, delta=1e-5)

        answers = ouaf("predict", "--json", "--model", self.folder / "doubting", *self.files).stdout.splitlines()
        for place, answer in enumerate(map(json.loads, answers)):
            sure = "sure" if odds[place] > bundle["unsure_below"] - 1e-6 else "unsure"
            self.assertEqual(answer["verdict"], "none" if largest[place] < bundle["none_below"] else sure)

        result = ouaf(*arguments, "--none", "nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no class 'nowhere'", result.stderr)
        self.assertEqual(json.loads((self.folder / "doubting/model.json").read_text()), bundle)

    def test_what_is_wrong_is_said(self):
        result = ouaf("evaluate", "--model", self.folder / "bundle", "--data", self.folder / "data", "--tta", "six_crop")
        self.assertEqual(result.returncode, 2)
        self.assertIn("ten_crop", result.stderr)
        result = ouaf("evaluate", "--model", self.folder / "bundle", "--data", self.folder / "data", "--report",
                      self.folder / "classes.tsv")
        self.assertEqual(result.returncode, 1)
        self.assertIn("classes.tsv: is no folder", result.stderr)


if __name__ == "__main__":
    unittest.main()
