"""What tests of training share: pictures of stripes in MNIST's files, and the program run in a folder of its own.

Environment: OUAF_BINARY."""
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import numpy as np

BINARY = os.environ["OUAF_BINARY"]


def write_idx(path, array):
    path.write_bytes(struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def stripes(count, seed):
    """Ten classes: stripes of five angles, wide or narrow, on noise."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 10, count)
    y, x = np.mgrid[0:16, 0:16]
    pictures = []
    for label in labels:
        angle, width = np.pi * (label % 5) / 5, 1.2 if label < 5 else 2.4
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) / width + draw.uniform(0, 6))
        pictures.append(128 + 80 * wave + draw.normal(0, 20, (16, 16)))
    return np.clip(pictures, 0, 255).astype(np.uint8), labels.astype(np.uint8)


def write_stripes(folder, training, test):
    """So many pictures into folder/data; returns those of the test."""
    (folder / "data").mkdir()
    for stem, count, seed in (("train", training, 1), ("t10k", test, 2)):
        pictures, labels = stripes(count, seed)
        write_idx(folder / "data" / f"{stem}-images-idx3-ubyte", pictures)
        write_idx(folder / "data" / f"{stem}-labels-idx1-ubyte", labels)
    return pictures, labels


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments):
        # One thread: so small a network gains nothing by more, and waits where others use the cores.
        return subprocess.Popen([BINARY, *arguments], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def finish(self, *arguments, code=0):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, code, out + err)
        return out, err
