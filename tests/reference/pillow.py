"""shared/preprocess against Pillow and numpy.

    pillow.py DUMP_TENSORS

Makes pictures of every format in a temporary folder, lets the C++ side (tests/tools/dump_tensors) crop them, and
compares:
  resize   lossless pictures: linear and cubic must give Pillow's bytes; area within 1 of its formula in float64
  decode   each format at its own size: all must give Pillow's bytes, though it has its own libjpeg-turbo and libwebp
  tensor   the float32 tensor must be (crop / 255 - mean) / std to the bit, by its SHA-256
"""
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def scene(width, height, seed):
    """Waves, discs and noise: every part of a decoder and of a filter has work to do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = [np.sin(x / rng.uniform(5, 40) + y / rng.uniform(5, 40) + rng.uniform(0, 6)) * 90 + 128 for _ in range(3)]
    picture = np.stack(planes, axis=-1)
    for _ in range(8):
        cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(2, max(width, height) / 5 + 2)
        picture[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.uniform(0, 255, 3)
    picture += rng.normal(0, 12, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def square(side, seed=1):
    return scene(side, side, seed)


def exif(orientation):
    record = Image.Exif()
    record[0x0112] = orientation
    return record


def bmp(width, height, bits, rows, *, palette=b"", masks=b"", compression=0, header=40, top_down=False):
    """A BMP file around its pixel rows; Pillow writes few of the variants that it reads."""
    info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression, len(rows),
                       2835, 2835, len(palette) // 4, 0) + masks
    info = info.ljust(header, b"\0") + palette
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(rows), 0, 0, 14 + len(info)) + info + rows


def packed(values, bits):
    """Rows of samples as BMP stores them: the leftmost in the high bits, padded to 4 bytes."""
    out = b""
    for row in values:
        line = np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:].ravel()).tobytes()
        out += line + b"\0" * (-len(line) % 4)
    return out


def run_lengths(values, bits):
    """Each row as runs of one value, then a stretch of literals."""
    out = b""
    for row in values.tolist():
        head, tail = row[:10], row[10:]
        for value in head:
            out += bytes([1, value << 4 if bits == 4 else value])
        while tail:
            part, tail = tail[:200], tail[200:]
            if len(part) < 3:
                out += b"".join(bytes([1, v << 4 if bits == 4 else v]) for v in part)
                continue
            if bits == 4:
                even = part + [0] * (len(part) % 2)
                data = bytes(a << 4 | b for a, b in zip(even[::2], even[1::2]))
            else:
                data = bytes(part)
            out += bytes([0, len(part)]) + data + b"\0" * (len(data) % 2)
        out += b"\0\0"
    return out + b"\0\1"


def bmp_files(side):
    rng = np.random.default_rng(9)
    colours = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    for bits in (1, 4, 8):
        palette = b"".join(bytes([*colour, 0]) for colour in colours[:1 << bits].tolist())
        values = rng.integers(0, 1 << bits, (side, side))
        yield f"{bits}.bmp", bmp(side, side, bits, packed(values, bits), palette=palette)
        if bits > 1:
            yield f"runs_{bits}.bmp", bmp(side, side, bits, run_lengths(values, bits), palette=palette,
                                          compression=3 - bits // 4)
    pixels = rng.integers(0, 256, side * side * 4, dtype=np.uint8).tobytes()
    yield "32.bmp", bmp(side, side, 32, pixels)
    yield "top_down.bmp", bmp(side, side, 32, pixels, top_down=True)
    for header in (40, 108, 124):
        yield f"masks_{header}.bmp", bmp(side, side, 32, pixels, compression=3, header=header,
                                         masks=struct.pack("<III", 0xFF0000, 0xFF00, 0xFF))


def make_pictures(folder):
    """Pictures of 64 x 64 in every format that Pillow writes, and BMP by hand."""
    side = 64
    rgb = square(side)
    alpha = Image.fromarray((np.indices((side, side)).sum(axis=0) * 2 % 256).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)

    def save(name, image, **options):
        image.save(folder / name, **options)
        return folder / name

    for quality in (30, 75, 95):
        for chroma in (0, 1, 2):
            yield save(f"q{quality}_{chroma}.jpg", rgb, quality=quality, subsampling=chroma)
    for progressive in (False, True):
        yield save(f"grey_{progressive}.jpg", rgb.convert("L"), quality=85, progressive=progressive)
        yield save(f"cmyk_{progressive}.jpg", rgb.convert("CMYK"), quality=85, progressive=progressive)
        yield save(f"rgb_{progressive}.jpg", rgb, quality=85, progressive=progressive, keep_rgb=True)
    yield save("progressive.jpg", rgb, quality=85, progressive=True, subsampling=2)
    yield save("restarts.jpg", rgb, quality=85, restart_marker_rows=1)
    for orientation in range(1, 9):
        yield save(f"turned_{orientation}.jpg", rgb, quality=85, exif=exif(orientation))
        yield save(f"turned_{orientation}.png", rgb, exif=exif(orientation))
        yield save(f"turned_{orientation}.webp", rgb, lossless=True, exif=exif(orientation))

    yield save("rgb.png", rgb)
    yield save("grey.png", rgb.convert("L"))
    yield save("one_bit.png", rgb.convert("1"))
    yield save("alpha.png", rgba)
    yield save("grey_alpha.png", rgba.convert("LA"))
    yield save("palette.png", rgb.quantize(200))
    yield save("palette_4.png", rgb.quantize(16))
    yield save("palette_2.png", rgb.quantize(4))
    yield save("palette_clear.png", rgb.quantize(30), transparency=3)
    yield save("palette_alpha.png", rgba.quantize(30))
    yield save("grey_clear.png", rgb.convert("L"), transparency=100)
    yield save("lossless.webp", rgb, lossless=True)
    yield save("lossless_alpha.webp", rgba, lossless=True, exact=True)
    for quality in (20, 80):
        yield save(f"q{quality}.webp", rgb, quality=quality)
        yield save(f"q{quality}_alpha.webp", rgba, quality=quality)
    yield save("animated.webp", rgb, save_all=True, append_images=[square(side, 2), square(side, 3)], lossless=True)
    yield save("24.bmp", rgb)
    yield save("grey.bmp", rgb.convert("L"))
    for name, content in bmp_files(side):
        (folder / name).write_bytes(content)
        yield folder / name


def make_lossless(folder):
    for i, (width, height) in enumerate([(64, 64), (65, 64), (70, 130), (301, 233), (233, 301), (1000, 70), (20, 15),
                                         (15, 20), (1, 1), (3, 200), (90, 1), (640, 641)]):
        path = folder / f"plain_{width}_{height}.png"
        scene(width, height, 100 + i).save(path)
        yield path


def open_in_pillow(path):
    """Upright, over white, RGB."""
    image = Image.open(path)
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def target_size(size, resize):
    shorter = min(size)
    return tuple((side * resize + shorter // 2) // shorter for side in size)


def middle(pixels, side):
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top:top + side, left:left + side]


def area_weights(source, target):
    """[target, source]: the share of each output pixel that a source pixel covers."""
    scale = source / target
    start = np.arange(target)[:, None] * scale
    pixel = np.arange(source)[None, :]
    return np.clip(np.minimum(start + scale, pixel + 1) - np.maximum(start, pixel), 0, None) / scale


def resized(image, size, name):
    if name != "area":
        method = Image.Resampling.BILINEAR if name == "linear" else Image.Resampling.BICUBIC
        return np.asarray(image.resize(size, method), np.float64)
    down, across = area_weights(image.height, size[1]), area_weights(image.width, size[0])
    return np.einsum("ys,sxc->yxc", down, np.einsum("xs,ysc->yxc", across, np.asarray(image, np.float64)))


class NativeSide:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def crops(self, paths, size, resize, filter_name):
        """[(8-bit crop, answer)] of each path."""
        model = {"format": 1, "name": "t", "file": "model.onnx", "bytes": 1,
                 "input": {"size": size, "mean": MEAN, "std": STD},
                 "preprocess": {"resize": resize, "filter": filter_name},
                 "classes": [{"id": "a", "name": {"en": "a"}}],
                 "golden": {"picture": "", "tensor_crc32": 0, "logits": [0]}}
        (self.folder / "model.json").write_text(json.dumps(model))
        (self.folder / "list").write_text("".join(f"{path}\n" for path in paths))
        output = subprocess.run([self.program, self.folder / "model.json", self.folder / "list", self.folder],
                                check=True, stdout=subprocess.PIPE, text=True).stdout
        for number, (path, line) in enumerate(zip(paths, output.splitlines(), strict=True)):
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"{path.name}: {answer['error']}: {answer['message']}")
            crop = np.fromfile(self.folder / f"{number}.rgb", np.uint8).reshape(size, size, 3)
            yield crop, answer


def expected_sha256(crop):
    mean, std = (np.float32(values).astype(np.float64) for values in (MEAN, STD))
    tensor = ((crop / 255.0 - mean) / std).astype(np.float32)
    return hashlib.sha256(np.ascontiguousarray(tensor.transpose(2, 0, 1)).tobytes()).hexdigest()


def main(program):
    failures, checks = [], 0

    def check(what, good, detail):
        nonlocal checks
        checks += 1
        if not good:
            failures.append(f"{what}: {detail}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        native = NativeSide(program, folder)
        plain = list(make_lossless(folder))
        for filter_name, limit in (("linear", 0), ("cubic", 0), ("area", 1 + 1e-9)):
            for size, resize in ((56, 64), (64, 64), (100, 200)):
                for path, (crop, answer) in zip(plain, native.crops(plain, size, resize, filter_name)):
                    image = open_in_pillow(path)
                    expected = middle(resized(image, target_size(image.size, resize), filter_name), size)
                    worst = np.abs(expected - crop).max()
                    what = f"{path.name}, {filter_name}, {resize} cut to {size}"
                    check(what, worst <= limit, f"{worst} off")
                    check(what, (answer["width"], answer["height"]) == image.size, answer)
                    check(what, answer["sha256"] == expected_sha256(crop), "the tensor is not the crop's")

        pictures = list(make_pictures(folder))
        decoded = native.crops(pictures, 64, 64, "linear")
        for path, (crop, _) in zip(pictures, decoded):
            worst = np.abs(np.asarray(open_in_pillow(path), np.int64) - crop).max()
            check(path.name, worst == 0, f"{worst} off")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{checks} comparisons, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
