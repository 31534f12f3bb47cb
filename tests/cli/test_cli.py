"""The program as a person meets it: what it prints, what it says when something is wrong, how it exits.

Environment: OUAF_BINARY, OUAF_MODELS (the folder with the released bundles).
"""
import json
import shutil
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from cases import Case, MODELS, ouaf, picture


class Usage(Case):
    def test_no_command_and_unknown_options_are_usage_errors(self):
        for arguments in ((), ("bark",), ("predict",), ("predict", "--model"), ("predict", "x.jpg", "--top", "0"), ("evaluate",)):
            result = ouaf(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertTrue(result.stderr)

    def test_help_is_no_error(self):
        for arguments in (("--help",), ("predict", "--help")):
            result = ouaf(*arguments)
            self.assertEqual(result.returncode, 0)
            self.assertIn("--model" if "predict" in arguments else "evaluate", result.stdout)


class Predict(Case):
    def test_prints_three_classes_with_percentages(self):
        result = ouaf("predict", "--model", MODELS / "dogs", picture(self.folder / "a.jpg", (120, 90, 60), 1))
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[1], r"^ +\d+\.\d %  \w")

    def test_json_is_one_object_a_line_and_goes_on_after_a_bad_photo(self):
        good = picture(self.folder / "good.png", (120, 90, 60), 1)
        bad = self.folder / "bad.jpg"
        bad.write_text("no photo")
        result = ouaf("predict", "--model", MODELS / "dogs", "--json", "--top", 5, bad, good, self.folder / "none.jpg")
        self.fails(result, "bad.jpg: This file is not a photo")
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([answer["file"] for answer in answers], [str(bad), str(good), str(self.folder / "none.jpg")])
        self.assertEqual(answers[0]["predictions"], [])
        self.assertIn("not a photo", answers[0]["error"])
        self.assertIn("No such file", answers[2]["error"])
        self.assertIsNone(answers[1]["error"])
        predictions = answers[1]["predictions"]
        self.assertEqual(len(predictions), 5)
        self.assertEqual(set(predictions[0]), {"id", "name", "probability"})
        chances = [p["probability"] for p in predictions]
        self.assertEqual(chances, sorted(chances, reverse=True))
        self.assertLessEqual(sum(chances), 1)

    def test_a_folder_without_a_bundle_and_a_damaged_bundle(self):
        photo = picture(self.folder / "a.jpg", (1, 2, 3), 1)
        self.fails(ouaf("predict", "--model", self.folder, photo), "no model bundle is there")
        broken = self.folder / "broken"
        shutil.copytree(MODELS / "dogs", broken)
        network = (broken / "model.onnx").read_bytes()
        (broken / "model.onnx").write_bytes(network[:-1] + bytes([network[-1] ^ 1]))
        self.fails(ouaf("predict", "--model", broken, photo), "model.onnx: this is not the file that model.json describes")
        (broken / "model.json").write_text("{\"format\": 2}")
        self.fails(ouaf("predict", "--model", broken, photo), "model.json: 'format' is 2; this program reads format 1")


class TrainAndEvaluate(Case):
    def recipe(self):
        path = self.folder / "recipe.toml"
        path.write_text(f'name = "colours"\nbackbone = "{MODELS / "efficientnetv2_b0"}"\ndata = "{self.folder / "data"}"\n')
        return path

    def test_any_folder_per_class_tree_becomes_a_model(self):
        data = self.tree()
        (data / "sky_blue" / "notes.txt").write_text("not a photo")
        result = ouaf("train", self.recipe(), cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("24 training photos of 3 classes (0 began from the backbone's own)", result.stdout)
        self.assertRegex(result.stdout, r"test, float32 +top-1 100.00 %")
        self.assertRegex(result.stdout, r"test, int8 +top-1 100.00 %")
        self.assertRegex(result.stderr, r"\d+ %, \d+:\d\d left")  # progress
        run = self.folder / "runs" / "colours"
        events = [json.loads(line)["event"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual((events[0], events[-1]), ("start", "exported"))
        self.assertTrue((run / "recipe.toml").exists())
        self.assertEqual(json.loads((run / "report/report.json").read_text())["top1"], 1)

        answer = ouaf("predict", "--model", run / "model", "--json", data / "brick_red" / "3.jpg")
        self.assertEqual(json.loads(answer.stdout)["predictions"][0]["name"], "brick red")

        (data / "grass_green" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
        picture(data / "unheard_of" / "a.jpg", (0, 0, 0), 1)
        measured = ouaf("evaluate", "--model", run / "model", "--data", data, "--json")
        self.assertEqual(measured.returncode, 0, measured.stderr)
        figures = json.loads(measured.stdout)
        self.assertEqual((figures["photos"], figures["top1"], figures["left_out"]), (30, 1.0, 1))
        self.assertEqual(len(figures["unreadable"]), 1)
        self.assertGreater(figures["images_per_second"], 0)
        self.assertIn("'unheard_of'", measured.stderr)

        listed = self.folder / "list.csv"
        listed.write_text("file,class\nsky_blue/1.jpg,sky_blue\nbrick_red/2.jpg,grass_green\n")
        figures = json.loads(ouaf("evaluate", "--model", run / "model", "--data", data, "--list", listed, "--json").stdout)
        self.assertEqual((figures["photos"], figures["top1"]), (2, 0.5))

        self.fails(ouaf("train", self.recipe(), cwd=self.folder), "a run of this name is there")

    def test_a_run_that_could_not_begin_leaves_nothing_behind(self):
        self.fails(ouaf("train", self.recipe(), cwd=self.folder), "data: there is no such folder")
        self.assertFalse((self.folder / "runs").exists())

    def test_what_is_wrong_with_data_is_said(self):
        dogs = MODELS / "dogs"
        self.fails(ouaf("evaluate", "--model", dogs, "--data", self.folder / "none"), "there is no such folder")
        (self.folder / "empty").mkdir()
        self.fails(ouaf("evaluate", "--model", dogs, "--data", self.folder / "empty"), "no photos are there")
        self.fails(ouaf("evaluate", "--model", dogs, "--data", self.tree(1)), "none of its classes (such as 'brick_red')")
        self.fails(ouaf("evaluate", "--model", dogs, "--data", self.folder, "--list", self.folder / "none"), "the list can't be read")
        self.fails(ouaf("train", self.folder / "none.toml"), "there is no such recipe")


class Import(Case):
    def test_what_is_no_network_is_refused(self):
        fake = self.folder / "fake.onnx"
        fake.write_text("no network")
        (self.folder / "fake.json").write_text("{}")
        classes = self.folder / "classes.tsv"
        classes.write_text("a\tA\n")
        self.fails(ouaf("import", fake, "--classes", classes, "--out", self.folder / "out"), "fake.onnx: ")
        self.assertFalse((self.folder / "out").exists())

    def test_a_keras_network_answers_as_in_onnx_runtime(self):
        # [n, h, w, 3] in, normalised inside, softmax at the end, as tf2onnx writes it.
        rng = np.random.default_rng(0)
        constants = {"mean": np.float32([0.4, 0.5, 0.6]), "deviation": np.float32([0.2, 0.3, 0.25]),
                     "w": rng.normal(0, 0.5, (6, 3, 3, 3)).astype(np.float32), "axes": np.int64([2, 3]),
                     "head": rng.normal(0, 1, (6, 4)).astype(np.float32)}
        nodes = [("Sub", ["x", "mean"], {}), ("Div", ["0", "deviation"], {}), ("Transpose", ["1"], {"perm": [0, 3, 1, 2]}),
                 ("Conv", ["2", "w"], {}), ("Relu", ["3"], {}), ("GlobalAveragePool", ["4"], {}), ("Squeeze", ["5", "axes"], {}),
                 ("MatMul", ["6", "head"], {}), ("Softmax", ["7"], {})]
        graph = helper.make_graph(
            [helper.make_node(op, inputs, [str(i)], **attributes) for i, (op, inputs, attributes) in enumerate(nodes)], "keras",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 32, 32, 3])],
            [helper.make_tensor_value_info("8", TensorProto.FLOAT, ["n", 4])],
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        path = self.folder / "keras.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
        (self.folder / "keras.json").write_text(json.dumps({
            "architecture": "small", "licence": "MIT", "input": {"size": 32, "mean": [0, 0, 0], "std": [1, 1, 1]},
            "resize": {"filter": "bilinear", "crop_fraction": 1.0}}))
        (self.folder / "classes.tsv").write_text("a\nb\tdog\nc\tcat\tchat\nd\n")
        result = ouaf("import", path, "--classes", self.folder / "classes.tsv", "--out", self.folder / "bundle", "--float32")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("its final softmax was taken off", result.stdout)
        self.assertIn("its input is now [n, channels, height, width]", result.stdout)
        names = [c["name"] for c in json.loads((self.folder / "bundle" / "model.json").read_text())["classes"]]
        self.assertEqual(names, [{"en": "a"}, {"en": "dog"}, {"en": "cat", "fr": "chat"}, {"en": "d"}])

        colour = (200, 120, 40)  # one colour: its tensor needs no resizing
        photo = self.folder / "plain.png"
        Image.new("RGB", (32, 32), colour).save(photo)
        answer = json.loads(ouaf("predict", "--model", self.folder / "bundle", "--json", "--top", 4, photo).stdout)
        image = np.broadcast_to(np.float32(colour) / 255, (1, 32, 32, 3)).astype(np.float32)
        expected = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": image})[0][0]
        for prediction in answer["predictions"]:
            self.assertAlmostEqual(prediction["probability"], expected["abcd".index(prediction["id"])], places=5)


class Export(Case):
    def answers(self, file, image):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: image})[0]

    def test_a_bundle_in_every_storage(self):
        image = np.random.default_rng(1).normal(0, 1, (1, 3, 224, 224)).astype(np.float32)
        expected = self.answers(MODELS / "dogs" / "model.onnx", image)
        photo = picture(self.folder / "a.jpg", (120, 90, 60), 1)
        for weights, size in (("float32", 1), ("float16", 0.55), ("int8", 0.3)):
            out = self.folder / f"{weights}.onnx"
            result = ouaf("export", MODELS / "dogs", "--out", out, "--weights", weights, "--photo", photo)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stdout, rf"^{out}: [\d,]+ bytes, opset 17, .*largest difference to ONNX Runtime \d")
            self.assertEqual(len(result.stdout.splitlines()), 1)
            whole = whole if weights != "float32" else out.stat().st_size
            self.assertLess(out.stat().st_size, size * whole + 1)
            onnx.checker.check_model(str(out), full_check=True)
            # float16 is off by 2^-11 a weight; int8 is what the bundle stores already.
            self.assertLess(np.abs(self.answers(out, image) - expected).max(), 1e-2 * np.abs(expected).max())

    def test_a_file_is_exported_again(self):
        result = ouaf("export", MODELS / "dogs" / "model.onnx", "--out", self.folder / "a.onnx", "--opset", 18)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(onnx.load(self.folder / "a.onnx").opset_import[0].version, 18)

    def test_what_cannot_be_exported_leaves_no_file(self):
        out = self.folder / "a.onnx"
        dogs = MODELS / "dogs"
        self.fails(ouaf("export", self.folder, "--out", out), "no model bundle is there")
        self.fails(ouaf("export", dogs, "--out", out, "--opset", 5), "opset 5 is not supported")
        self.fails(ouaf("export", dogs, "--out", out, "--photo", self.folder / "none.jpg"), "none.jpg: No such file")
        self.fails(ouaf("export", dogs / "model.onnx", "--out", out, "--photo", out), "doesn't say how to prepare a photo")
        self.assertEqual(ouaf("export", dogs, "--out", out, "--weights", "int4").returncode, 2)
        # A file whose answers are no numbers: ONNX Runtime and LibTorch can't agree on them.
        graph = helper.make_graph([helper.make_node("Log", ["x"], ["l"]), helper.make_node("Relu", ["l"], ["y"])], "nan",
                                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])])
        bad = self.folder / "bad.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), bad)
        self.fails(ouaf("export", bad, "--out", out), "not a finite number; nothing was written")
        self.assertEqual(sorted(f.name for f in self.folder.iterdir()), ["bad.onnx"])


class Verify(Case):
    """y = x w, its cross-entropy and gradient by numpy."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.x, self.w = (random.normal(0, 1, shape).astype(np.float32) for shape in ((2, 4), (4, 3)))
        y = self.x @ self.w
        target = np.array([2, 0])
        odds = np.exp(y) / np.exp(y).sum(1, keepdims=True)
        self.gradient = self.x.T @ (odds - np.eye(3)[target]).astype(np.float32) / 2
        self.write_model("MatMul")
        self.write("input_0", self.x, "x")
        self.write("output_0", y, "y")
        self.write("target_0", target)
        self.write("loss_0", np.float32(-np.log(odds[[0, 1], target]).mean()))
        self.write("gradient_0", self.gradient, "w")

    def write_model(self, op):
        sizes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 4), ("y", 3))]
        graph = helper.make_graph([helper.make_node(op, ["x", "w"], ["y"])], "product", sizes[:1], sizes[1:],
                                  [numpy_helper.from_array(self.w, "w")])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
                  self.folder / "model.onnx")

    def write(self, stem, values, name=""):
        data = self.folder / "test_data_set_0"
        data.mkdir(exist_ok=True)
        (data / f"{stem}.pb").write_bytes(numpy_helper.from_array(np.asarray(values), name).SerializeToString())

    def ends(self, code, line):
        """One line that says this; the same for the file with --data as for its folder."""
        data = self.folder / "test_data_set_0"
        for result in (ouaf("verify", self.folder), ouaf("verify", self.folder / "model.onnx", "--data", data)):
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertRegex(result.stdout, rf"^{line}\n$")
            self.assertEqual(result.stderr, "")

    def test_what_agrees_and_what_does_not(self):
        self.ends(0, "ok")
        self.write("gradient_0", self.gradient * 1.01, "w")
        self.ends(1, "the gradient of 'w' differs by 0.0099.* of its norm")
        self.write("loss_0", np.float32(7))
        self.ends(1, "the loss is .* and should be 7")
        self.write("output_0", np.zeros((2, 3), np.float32))
        self.ends(1, "output 'y' differs in 6 of 6 values, .*")
        self.write("output_0", np.zeros((2, 5), np.float32))
        self.ends(1, r"output 'y' is \[2, 3\] and should be \[2, 5\]")

    def test_several_folders_are_counted(self):
        other = self.folder / "other"
        shutil.copytree(self.folder / "test_data_set_0", other / "test_data_set_0")
        self.write_model("Einsam")
        shutil.copy(self.folder / "model.onnx", other)
        self.write_model("MatMul")
        result = ouaf("verify", self.folder, other)
        self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), (3, "1 ok, 1 unsupported, 0 wrong"))
        self.assertIn("1 unsupported operator: Einsam (1)", result.stdout)

    def test_broken_data_is_a_line_that_names_the_file(self):
        file = self.folder / "test_data_set_0" / "input_0.pb"
        whole = file.read_bytes()
        huge = numpy_helper.from_array(self.x, "x")
        huge.dims[:] = [1 << 20, 1 << 20]
        for bytes_of_file in (b"", b"no tensor", whole[:-3], huge.SerializeToString()):
            file.write_bytes(bytes_of_file)
            self.ends(1, ".*input_0.pb: .*")
        self.write("input_0", self.x.astype(np.int64), "x")
        self.ends(1, ".*MatMul.*")
        file.unlink()
        self.ends(1, ".*holds 0 inputs where the model has 1; make the test data again")
        file.write_bytes(whole)
        (self.folder / "test_data_set_0" / "output_0.pb").unlink()
        self.ends(1, ".*holds no output_0.pb; give a folder of ONNX test data")


if __name__ == "__main__":
    unittest.main()
