"""Generates pictures of every kind that a visitor may bring, good and bad: make_pictures(folder) -> list of paths."""
import io
import os
import struct

import numpy as np
from PIL import Image


def scene(width, height, seed):
    """Smooth colours, hard edges and noise: every part of a decoder and of a filter has work to do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [np.sin(x / rng.uniform(5, 40) + y / rng.uniform(5, 40) + rng.uniform(0, 6)) for _ in range(3)]
    picture = np.stack(waves, axis=-1) * 90 + 128
    for _ in range(12):
        cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.02, 0.25) * max(width, height)
        picture[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.uniform(0, 255, 3)
    picture += rng.normal(0, 12, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8), "RGB")


def exif(orientation, big_endian):
    order = ">" if big_endian else "<"
    return (b"Exif\0\0" + (b"MM" if big_endian else b"II") + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0))


def jpegs():
    for quality, subsampling in ((95, 0), (75, 1), (40, 2), (10, 2)):
        yield f"q{quality}_{subsampling}.jpg", scene(301, 233, quality), dict(quality=quality, subsampling=subsampling)
    yield "progressive.jpg", scene(500, 375, 1), dict(quality=85, progressive=True)
    yield "grey.jpg", scene(260, 340, 2).convert("L"), dict(quality=90)
    yield "grey_progressive.jpg", scene(260, 340, 3).convert("L"), dict(quality=60, progressive=True)
    yield "cmyk.jpg", scene(280, 280, 4).convert("CMYK"), dict(quality=90)
    for size in ((4000, 3000), (3024, 4032), (1100, 1030), (2049, 1537)):
        yield f"large_{size[0]}.jpg", scene(*size, size[0]), dict(quality=80)
    for size in ((1, 1), (7, 3), (1, 900), (2000, 2), (8, 8), (223, 224), (257, 255)):
        yield f"size_{size[0]}_{size[1]}.jpg", scene(*size, size[0]), dict(quality=90)
    for orientation in range(1, 9):
        yield f"turned_{orientation}.jpg", scene(320, 200, 5), dict(quality=90, exif=exif(orientation, orientation % 2 == 0))


def others():
    rgb = scene(317, 251, 6)
    alpha = Image.fromarray((np.indices((251, 317)).sum(axis=0) % 256).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    yield "plain.png", rgb, {}
    yield "alpha.png", rgba, {}
    yield "palette.png", rgb.quantize(64), {}
    yield "palette_clear.png", rgb.quantize(32), dict(transparency=3)
    yield "grey.png", rgb.convert("L"), {}
    yield "grey_alpha.png", rgba.convert("LA"), {}
    yield "one_bit.png", rgb.convert("1"), {}
    yield "sixteen_bits.png", Image.fromarray((np.indices((240, 300)).prod(axis=0) * 7 % 65536).astype(np.uint16)), {}
    yield "turned.png", rgb, dict(exif=exif(6, False)[6:])
    yield "lossy.webp", rgb, dict(quality=70)
    yield "lossless.webp", rgb, dict(lossless=True)
    yield "alpha.webp", rgba, dict(quality=80)
    yield "turned.webp", rgb, dict(quality=80, exif=exif(8, True)[6:])
    yield "moving.webp", rgb, dict(save_all=True, append_images=[scene(317, 251, 7)], quality=60)
    yield "plain.bmp", rgb, {}
    yield "palette.bmp", rgb.quantize(200), {}
    yield "one_bit.bmp", rgb.convert("1"), {}


def bad_files():
    buffer = io.BytesIO()
    scene(300, 200, 8).save(buffer, "JPEG")
    jpeg = buffer.getvalue()
    yield "text.jpg", b"this is not a photo\n" * 50
    yield "empty.jpg", b""
    yield "cut.jpg", jpeg[: len(jpeg) // 2]
    yield "header_only.jpg", jpeg[:200]
    buffer = io.BytesIO()
    scene(300, 200, 8).save(buffer, "PNG")
    yield "cut.png", buffer.getvalue()[: len(buffer.getvalue()) // 3]
    yield "giant.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 20000, 20000, 8, 2, 0, 0, 0, 0)
    yield "moving.gif", b"GIF89a" + bytes(100)


def make_pictures(folder):
    paths = []
    for name, picture, options in (*jpegs(), *others()):
        path = os.path.join(folder, name)
        picture.save(path, **options)
        paths.append(path)
    for name, content in bad_files():
        path = os.path.join(folder, name)
        with open(path, "wb") as out:
            out.write(content)
        paths.append(path)
    return paths
