"""What tests of single commands share: the program run once, in a folder of its own, on drawn pictures.

Environment: OUAF_BINARY, OUAF_MODELS (the folder with the released bundles).
"""
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
from PIL import Image

BINARY = os.environ["OUAF_BINARY"]
MODELS = pathlib.Path(os.environ["OUAF_MODELS"])
COLOURS = {"sky_blue": (90, 160, 230), "grass_green": (60, 150, 50), "brick_red": (170, 60, 40)}


def ouaf(*arguments, cwd=None):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=300)


def picture(path, colour, seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 25, (180, 240, 3)) + np.array(colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def tree(self, photos=10):
        for colour in COLOURS:
            for i in range(photos):
                picture(self.folder / "data" / colour / f"{i}.jpg", COLOURS[colour], i)
        return self.folder / "data"

    def fails(self, result, *parts, code=1):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.splitlines() if line.startswith("ouaf: ")]
        self.assertTrue(lines, result.stderr)
        for part in parts:
            self.assertIn(part, lines[-1])
