"""`ouaf publish`: the page as a folder, and a copy of it that is checked.

Environment: OUAF_BINARY, OUAF_MODELS (the folder with the released bundles).
"""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from PIL import Image

from cases import Case, MODELS, ouaf, picture


class Publish(Case):
    def test_writes_a_site_and_replaces_only_a_site(self):
        site = self.folder / "site"
        for _ in range(2):
            result = ouaf("publish", "--model", MODELS / "dogs", "--out", site)
            self.assertEqual(result.returncode, 0, result.stderr)
        manifest = json.loads((site / "site.json").read_text())
        for download in manifest["downloads"] + manifest["graphics_card"]:
            content = (site / download["path"]).read_bytes()
            self.assertEqual(len(content), download["bytes"])
            inflated = gzip.decompress(content) if download["path"].endswith(".gz") else content
            self.assertEqual((len(inflated), hashlib.sha256(inflated).hexdigest()), (download["inflated"], download["sha256"]))
        optional = {download["path"] for download in manifest["graphics_card"]}
        self.assertEqual(optional, {str(f.relative_to(site)) for f in site.rglob("*.jspi.*")})
        self.assertEqual(len(optional), 3)
        kept, _ = (site / "site_files.js").read_text().split('"others"')
        self.assertNotIn(".jspi.", kept)
        first_visit = sum(f.stat().st_size for f in site.rglob("*") if f.is_file() and str(f.relative_to(site)) not in optional)
        self.assertLessEqual(first_visit, 10_000_000)
        # OpenCV's imgcodecs would be 800,000; encoders that come along by mistake would show here.
        self.assertLessEqual((site / "preprocess.wasm.gz").stat().st_size, 450_000)
        described, published = (MODELS / "dogs" / "model.json").read_text(), (site / "model" / "model.json").read_text()
        self.assertEqual(json.loads(published), json.loads(described))
        self.assertLess(len(published), 0.8 * len(described))
        precious = self.folder / "precious"
        precious.mkdir()
        (precious / "thesis.txt").write_text("all of it")
        self.fails(ouaf("publish", "--model", MODELS / "dogs", "--out", precious), "this folder holds other files")
        self.assertEqual((precious / "thesis.txt").read_text(), "all of it")

    def test_examples_are_copied_and_must_be_photos(self):
        examples, site = self.folder / "examples", self.folder / "site"
        self.fails(ouaf("publish", "--model", MODELS / "dogs", "--out", site, "--examples", examples), "there is no such folder")
        examples.mkdir()
        self.fails(ouaf("publish", "--model", MODELS / "dogs", "--out", site, "--examples", examples), "there are no photos")
        for name in ("b.png", "a.png"):
            Image.new("RGB", (40, 30), (200, 120, 40)).save(examples / name)
        result = ouaf("publish", "--model", MODELS / "dogs", "--out", site, "--examples", examples)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads((site / "site.json").read_text())["examples"], ["examples/a.png", "examples/b.png"])
        self.assertEqual((site / "examples" / "a.png").read_bytes(), (examples / "a.png").read_bytes())
        kept, others = (site / "site_files.js").read_text().split('"others"')
        self.assertNotIn("examples/", kept)
        self.assertIn("examples/a.png", others)
        (examples / "notes.txt").write_text("not a photo")
        self.fails(ouaf("publish", "--model", MODELS / "dogs", "--out", site, "--examples", examples), "notes.txt: This file is not a photo")


class PublishedCopy(Case):
    """`ouaf publish --check` of a copy with one fault each."""

    @classmethod
    def setUpClass(cls):
        cls.published = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.published.cleanup)
        picture(pathlib.Path(cls.published.name) / "examples" / "dog.jpg", (200, 120, 40), 1)
        cls.written = ouaf("publish", "--model", MODELS / "dogs", "--out", pathlib.Path(cls.published.name) / "site",
                           "--examples", pathlib.Path(cls.published.name) / "examples")

    def setUp(self):
        super().setUp()
        self.site = self.folder / "site"
        shutil.copytree(pathlib.Path(self.published.name) / "site", self.site)

    def check(self):
        return ouaf("publish", "--check", self.site)

    def finds(self, *lines):
        result = self.check()
        self.fails(result, f"{len(lines)} fault" + ("s" if len(lines) > 1 else ""))
        self.assertEqual(result.stderr.splitlines()[:-1], [f"{self.site}/{line}" for line in lines])

    def relist(self):
        """As somebody who changed the page on purpose: the lists say what now lies there."""
        path = self.site / "site_files.js"
        text = path.read_text()
        lists = json.loads(text[text.index("{"):text.rindex(";")])
        for file in lists["files"] + lists["others"]:
            content = (self.site / file["path"]).read_bytes()
            file.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        dumped = [json.dumps(lists[key], separators=(",", ":")) for key in ("files", "others")]
        lists["version"] = hashlib.sha256("".join(dumped).encode()).hexdigest()[:16]
        path.write_text("self.siteFiles = " + json.dumps(lists, separators=(",", ":")) + ";\n")

    def test_whole_says_how_much_it_is_and_how_to_host_it(self):
        optional = list(self.site.rglob("*.jspi.*"))
        files = [file for file in self.site.rglob("*") if file.is_file() and file not in optional]
        amounts = [(f"{sum(file.stat().st_size for file in some):,}", len(some)) for some in (files, optional)]
        size = "{} bytes in {} files, and {} in {} that".format(*amounts[0], *amounts[1])
        self.assertEqual(self.written.returncode, 0, self.written.stderr)
        for part in (size, "GitHub Pages", "nginx", "a plain folder", "ouaf publish --check", "docs/hosting.md"):
            self.assertIn(part, self.written.stdout)
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(size, result.stdout)

    def test_every_file_but_the_list_is_missed(self):
        paths = [file for file in sorted(self.site.rglob("*")) if file.is_file() and file.name != "site_files.js"]
        self.assertGreater(len(paths), 30)
        for path in paths:
            path.unlink()
        found = {line for line in self.check().stderr.splitlines() if line.endswith(": missing; copy it again")}
        self.assertEqual(found, {f"{path}: missing; copy it again" for path in paths})

    def test_a_file_that_was_cut(self):
        path = self.site / "model" / "model.onnx.gz"
        size = path.stat().st_size
        os.truncate(path, 1000)
        self.finds(f"model/model.onnx.gz: 1000 bytes where {size} were published; copy it again, as it is (an upload 'as text' changes it)")

    def test_a_byte_that_was_changed(self):
        for name in ("style.css", "examples/dog.jpg", "service_worker.js", "preprocess.wasm.gz"):
            content = bytearray((self.site / name).read_bytes())
            content[-1] ^= 1
            (self.site / name).write_bytes(content)
        what = "its content is not what was published; copy it again, or publish again instead of changing it here"
        self.finds(*(f"{name}: {what}" for name in ("style.css", "examples/dog.jpg", "preprocess.wasm.gz", "service_worker.js")))

    def test_a_file_that_does_not_belong_there(self):
        (self.site / "lib" / "thesis.txt").write_text("all of it")
        self.finds("lib/thesis.txt: no file of this site; take it out of the folder")

    def test_a_list_that_was_cut_changed_or_is_not_there(self):
        path = self.site / "site_files.js"
        text = path.read_text()
        for broken in (text[:1000], text.replace('"bytes":', '"bytes":1', 1), "<!doctype html>", ""):
            path.write_text(broken)
            self.fails(self.check(), "site_files.js: cut or changed since it was published; copy it again")
        path.unlink()
        self.fails(self.check(), "site_files.js: missing; give a folder that `ouaf publish` wrote")
        self.fails(ouaf("publish", "--check", self.folder / "nowhere"), "nowhere: there is no such folder")

    def test_addresses_that_leave_the_folder(self):
        for name, added in (("index.html", '<img src="/logo.png">'), ("style.css", "b{background:url(https://example.org/b.png)}"),
                            ("main.js", 'fetch("../secrets.json");'), ("lib/csv.js", 'import "./gone.js";')):
            with open(self.site / name, "a") as file:
                file.write("\n" + added + "\n")
        manifest = (self.site / "manifest.webmanifest")
        manifest.write_text(manifest.read_text().replace('"start_url": "./"', '"start_url": "//example.org/"'))
        self.relist()
        absolute = "an absolute address; put the file into the page (web/) and name it relative to this one"
        self.finds("index.html: asks for /logo.png, " + absolute,
                   "lib/csv.js: asks for ./gone.js, which is not there; name a file of the page, or publish again",
                   "main.js: asks for ../secrets.json, which leaves the site's folder; put the file into the page (web/)",
                   "manifest.webmanifest: asks for //example.org/, " + absolute,
                   "style.css: asks for https://example.org/b.png, " + absolute)

    def test_a_check_writes_nothing_and_takes_no_model(self):
        for arguments in (("--out", self.folder / "new"), ("--model", MODELS / "dogs"), ("--examples", self.folder)):
            self.assertEqual(ouaf("publish", "--check", self.site, *arguments).returncode, 2, arguments)
        self.assertEqual(ouaf("publish").returncode, 2)
        self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
    unittest.main()
