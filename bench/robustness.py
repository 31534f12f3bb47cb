#!/usr/bin/env python3
"""How much of a network's top-1 is left on photos that are blurred, noisy, dark, squeezed, turned, covered or grey:

  robustness.py MODEL [MODEL…] --data data/stanford-dogs --step 6 --plot docs/robustness.svg

Every `step`-th photo of the official test is changed by Pillow and numpy (seed 0), written to a folder that goes away, and
measured by `ouaf evaluate`, the same files for each model. Prints a table in Markdown, and draws it.
"""
import argparse
import io
import json
import pathlib
import shutil
import subprocess
import tempfile

import numpy
from PIL import Image, ImageDraw, ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent


def noisy(photo, deviation, random):
    values = numpy.asarray(photo, numpy.float32)
    return Image.fromarray((values + random.normal(0, deviation, values.shape)).clip(0, 255).astype(numpy.uint8))


def dark(photo, share, _):
    return photo.point(lambda value: value * share)


def squeezed(photo, quality, _):
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return Image.open(file)


def turned(photo, degrees, random):
    """By so much to the left or right, with the photo's own edges mirrored into the corners."""
    pixels = numpy.asarray(photo)
    height, width = pixels.shape[:2]
    around = numpy.pad(pixels, ((height // 2, height // 2), (width // 2, width // 2), (0, 0)), "reflect")
    large = Image.fromarray(around).rotate(degrees * random.choice([-1, 1]), Image.BICUBIC)
    return large.crop((width // 2, height // 2, width // 2 + width, height // 2 + height))


def covered(photo, share, random):
    """A grey box of so much of the photo's area, anywhere."""
    width, height = (round(side * share ** 0.5) for side in photo.size)
    left, top = random.integers(photo.width - width + 1), random.integers(photo.height - height + 1)
    photo = photo.copy()
    ImageDraw.Draw(photo).rectangle([left, top, left + width, top + height], fill=(124, 116, 104))
    return photo


CHANGES = {
    "blur, radius in pixels": ((1, 2, 4), lambda photo, radius, _: photo.filter(ImageFilter.GaussianBlur(radius))),
    "noise, deviation of 255": ((10, 25, 50), noisy),
    "darkness, share of the light left": ((0.5, 0.25, 0.1), dark),
    "JPEG, quality": ((30, 15, 7), squeezed),
    "rotation, degrees": ((15, 30, 90), turned),
    "covered, share of the area": ((0.1, 0.25, 0.5), covered),
    "grey": (("",), lambda photo, _, __: photo.convert("L").convert("RGB")),
}


def measure(models, photos, change, level, scratch):
    """Top-1 of each model in percent."""
    random = numpy.random.default_rng(0)
    for path in photos:
        target = scratch / path.parent.name / f"{path.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as photo:
            change(photo.convert("RGB"), level, random).save(target, compress_level=1)
    ouaf = ROOT / "build" / "release" / "ouaf"
    answers = [subprocess.run([ouaf, "evaluate", "--model", model, "--data", scratch, "--json"], check=True,
                              capture_output=True, text=True).stdout for model in models]
    shutil.rmtree(scratch)
    return [100 * json.loads(answer)["top1"] for answer in answers]


def name_of(model):
    """A run's bundle lies in its folder `model`."""
    path = pathlib.Path(model)
    return path.parent.name if path.name == "model" else path.name


def draw(rows, models, file):
    """Small curves beside each other, one a change: from the photos as they are to the hardest."""
    width, height, gap, colours = 150, 150, 34, ("#1b6e53", "#9a9a9a", "#b5651d", "#3b5ba5")
    parts = []
    names = list(dict.fromkeys(name for name, _, _ in rows[1:]))
    for place, name in enumerate(names):
        left = 40 + place * (width + gap)
        points = [rows[0]] + [row for row in rows if row[0] == name]
        parts.append(f'<rect x="{left}" y="30" width="{width}" height="{height}" fill="none" stroke="#ccc"/>')
        parts.append(f'<text x="{left}" y="20">{name}</text>')
        for share in (0, 25, 50, 75, 100):
            parts.append(f'<text x="{left - 4}" y="{34 + height - height * share / 100}" text-anchor="end">{share}</text>')
        across = [left + 12 + i * (width - 24) / (len(points) - 1) for i in range(len(points))]
        for x, (_, level, _) in zip(across, points):
            parts.append(f'<text x="{x}" y="{height + 44}" text-anchor="middle">{level}</text>')
        for m in range(len(models)):
            line = " ".join(f"{x:.1f},{30 + height - height * top1[m] / 100:.1f}" for x, (_, _, top1) in zip(across, points))
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colours[m % 4]}" stroke-width="2"/>')
    for m, model in enumerate(models):
        parts.append(f'<text x="{40 + m * 220}" y="{height + 66}" fill="{colours[m % 4]}">{name_of(model)}: top-1 in %</text>')
    total = 40 + len(names) * (width + gap)
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height + 76}" font-family="sans-serif" '
                    f'font-size="9">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("models", nargs="+")
    options.add_argument("--data", type=pathlib.Path, required=True)
    options.add_argument("--step", type=int, default=6)
    options.add_argument("--plot", type=pathlib.Path)
    options = options.parse_args()
    listed = (options.data / "lists" / "test_list.txt").read_text().split()
    photos = [options.data / "Images" / path for path in listed][::options.step]
    cases = [("as they are", "", lambda photo, _, __: photo)]
    cases += [(name, level, change) for name, (levels, change) in CHANGES.items() for level in levels]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder) / "photos"
        print(f"| {len(photos)} photos | | " + " | ".join(options.models) + " |\n|---|---|" + "---|" * len(options.models))
        for name, level, change in cases:
            rows.append((name, level, measure(options.models, photos, change, level, scratch)))
            print(f"| {name} | {level} | " + " | ".join(f"{top1:.1f} %" for top1 in rows[-1][2]) + " |", flush=True)
    if options.plot:
        draw(rows, options.models, options.plot)


main()
