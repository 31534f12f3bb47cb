"""Each change of pictures against torchvision.transforms.v2 on the same pictures, and equalisation against Pillow.

    augment.py DUMP_AUGMENT"""
import subprocess
import sys
import unittest
import unittest.mock

import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional

BINARY = sys.argv.pop()
OPERATIONS = list(v2.RandAugment._AUGMENTATION_SPACE)


def pictures(side=40, channels=3):
    """Noise, a gradient, few values, one value, one value but for a pixel, and dark with a bright corner."""
    draw = np.random.default_rng(5)
    made = np.zeros((6, side, side, channels), np.uint8)
    made[0] = draw.integers(0, 256, made[0].shape)
    made[1] = (np.linspace(20, 200, side)[:, None, None] + 10 * np.arange(channels)).astype(np.uint8)
    made[2] = draw.choice([3, 90, 91, 255], made[2].shape)
    made[3] = 77
    made[4] = 77
    made[4, 5, 6] = 200
    made[5] = draw.integers(0, 30, made[5].shape)
    made[5, :9, :9] += 200
    return made


def ours(given, name, *values):
    run = subprocess.run([BINARY, name, *map(str, values)], check=True, stdout=subprocess.PIPE,
                         input=np.array(given.shape, np.int64).tobytes() + given.tobytes())
    result = np.frombuffer(run.stdout, np.float32)
    side = round((result.size / given.shape[0] / given.shape[3]) ** 0.5)
    return result.reshape(given.shape[0], side, side, given.shape[3])


def planes(given):
    return torch.from_numpy(given.copy()).permute(0, 3, 1, 2)


def pixels(result):
    return result.permute(0, 2, 3, 1).numpy()


def each(given, change):
    """torchvision's change of each picture, floating in 0..1, in the pictures' 0..255."""
    return pixels(torch.stack([change(picture) for picture in planes(given).float() / 255]) * 255)


class Colours(unittest.TestCase):
    # float32 on both sides, but torchvision in 0..1: some 1e-5 of a value of 255. Its grey takes 0.2989 of red where
    # Pillow's and ours take 0.299, which makes 1e-4 * 255 = 0.026 of a grey pixel.
    ROUNDING, GREY = 2e-4, 0.03

    def compare(self, name, factor, change, tolerance, channels=3):
        given = pictures(channels=channels)
        with self.subTest(name, factor=factor, channels=channels):
            np.testing.assert_allclose(ours(given, name, factor), each(given, change), rtol=0, atol=tolerance)

    def test_jitter(self):
        for channels in (1, 3):
            for factor in (0.0, 0.4, 1.0, 1.7):
                self.compare("brightness", factor, lambda p: functional.adjust_brightness(p, factor), self.ROUNDING, channels)
                self.compare("contrast", factor, lambda p: functional.adjust_contrast(p, factor), self.GREY, channels)
                self.compare("saturation", factor, lambda p: functional.adjust_saturation(p, factor), self.GREY, channels)
                self.compare("sharpness", factor, lambda p: functional.adjust_sharpness(p, factor), self.ROUNDING, channels)

    def test_hue(self):
        for turn in (-0.5, -0.21, 0.0, 0.1, 0.5):
            # A hue near the end of a sixth is a difference of values over their span: 1e-6 of it, at 255.
            self.compare("hue", turn, lambda p: functional.adjust_hue(p, turn), 1e-3)
        self.compare("hue", 0.3, lambda p: p, 0, channels=1)

    def test_auto_contrast(self):
        for channels in (1, 3):
            self.compare("auto_contrast", 0, functional.autocontrast, self.ROUNDING, channels)


class Bytes(unittest.TestCase):
    """What torchvision defines on bytes is the same byte."""

    def test_equalise_as_torchvision_and_as_pillow(self):
        for side in (13, 40, 200):
            for channels in (1, 3):
                given = pictures(side, channels)
                result = ours(given, "equalise")
                np.testing.assert_array_equal(result, pixels(functional.equalize(planes(given))))
                for picture, equalised in zip(given, result):
                    image = Image.fromarray(picture if channels == 3 else picture[..., 0])
                    np.testing.assert_array_equal(equalised.reshape(picture.shape),
                                                  np.asarray(ImageOps.equalize(image)).reshape(picture.shape))

    def test_posterise_and_solarise(self):
        given = pictures()
        for bits in (1, 4, 8):
            np.testing.assert_array_equal(ours(given, "posterise", bits), pixels(functional.posterize(planes(given), bits)))
        for threshold in (0, 77, 255):
            np.testing.assert_array_equal(ours(given, "solarise", threshold),
                                          pixels(functional.solarize(planes(given), threshold)))

    def test_cut_out_is_crop_resize_flip(self):
        for channels in (1, 3):
            given = pictures(96, channels)
            for side, (top, left, high, wide), mirror in [(32, (0, 0, 96, 96), 1), (64, (5, 30, 80, 41), -1),
                                                          (96, (40, 3, 20, 24), 1), (40, (10, 20, 40, 40), -1)]:
                result = ours(given, "cut_out", side, (left + wide / 2) / 96, (top + high / 2) / 96, wide / 96, high / 96,
                              mirror)
                expected = functional.resized_crop(planes(given), top, left, high, wide, [side, side], antialias=True)
                expected = functional.horizontal_flip(expected) if mirror < 0 else expected
                # Both end in bytes, on the CPU through the same kernel; one of another layout may round the other way.
                self.assertLessEqual(np.abs(result - pixels(expected)).max(), 1)
                # And so does Pillow, whose triangle filter torchvision follows.
                image = Image.fromarray(given[0].squeeze()).resize((side, side), Image.Resampling.BILINEAR,
                                                                   box=(left, top, left + wide, top + high))
                image = ImageOps.mirror(image) if mirror < 0 else image
                within = np.abs(result[0] - np.asarray(image).reshape(side, side, channels))
                # Pillow's filter may look over the edge of the box, torchvision's cuts first.
                self.assertLessEqual(within[4:-4, 4:-4].max(), 2)


class RandAugment(unittest.TestCase):
    def reference(self, picture, name, magnitude, sign):
        """Through torchvision's own transform, of this operation alone: its draw of the sign is replaced."""
        transform = v2.RandAugment(1, magnitude, interpolation=InterpolationMode.BILINEAR)
        transform._get_random_item = lambda space: (name, space[name])
        with unittest.mock.patch("torch.rand", lambda *_: torch.tensor(0.9 if sign > 0 else 0.1)):
            return transform(picture)

    def test_every_operation_at_every_strength(self):
        self.assertEqual(len(OPERATIONS), 14)
        drawn = [(name, sign) for name in OPERATIONS for sign in (1, -1)]
        for picture in pictures(64):
            given = np.stack([picture] * len(drawn))
            for magnitude in (0, 5, 9, 17, 30):
                results = ours(given, "rand_augment", magnitude)
                expected = pixels(torch.stack([self.reference(each, name, magnitude, sign)
                                               for each, (name, sign) in zip(planes(given), drawn)]).float())
                for (name, sign), difference in zip(drawn, np.abs(results - expected)):
                    with self.subTest(name, magnitude=magnitude, sign=sign):
                        # torchvision cuts to whole bytes after each operation, and its grey before it is used; of an
                        # enhancement of 1.9 that is 1 for the result and 0.9 for the grey.
                        exact = name in ("Identity", "Posterize", "Solarize", "Equalize")
                        self.assertLessEqual(difference.max(), 0 if exact else 2)


class Whitening(unittest.TestCase):
    """Keras' ImageDataGenerator.fit and standardize, written out in numpy and float64."""

    def setUp(self):
        draw = np.random.default_rng(7)
        smooth = draw.normal(0, 1, (400, 6, 6, 3)).cumsum(1).cumsum(2)
        self.given = np.clip(110 + 25 * smooth + draw.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)

    def centred(self, given):
        scaled = given / 255
        return scaled - scaled.mean((0, 1, 2))

    def test_featurewise(self):
        centred = self.centred(self.given)
        # float32's share of values that are a few deviations: 1e-5.
        np.testing.assert_allclose(ours(self.given, "whiten", 1, 1e-6), centred / (centred.std((0, 1, 2)) + 1e-6), atol=1e-5)

    def test_zca(self):
        for count in (400, 60):  # more pictures than values, and fewer
            with self.subTest(count):
                given = self.given[:count]
                centred = self.centred(given)
                flat = centred.reshape(count, -1)
                u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
                expected = flat @ (u * (np.sqrt(count) / (s + 1e-6))) @ u.T
                result = ours(given, "whiten", 2, 1e-6).reshape(count, -1)
                # Noise of 8 of 255 is enlarged some 30 times, and float32 sums over 108 values.
                np.testing.assert_allclose(result, expected, atol=1e-3)
                if count == 400:  # white: the covariance about the mean of the channels is the identity
                    np.testing.assert_allclose(result.T @ result / count, np.eye(108), atol=1e-2)


if __name__ == "__main__":
    unittest.main()
