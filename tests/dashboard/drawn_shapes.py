#!/usr/bin/env python3
"""Draws a small data set that a network learns in seconds and still gets wrong here and there: six shapes on noisy ground.

    drawn_shapes.py FOLDER [PHOTOS A CLASS] [PIXELS A SIDE]      # FOLDER/train/circle/…, FOLDER/test/circle/…
"""
import math
import pathlib
import random
import sys

from PIL import Image, ImageDraw, ImageFilter

SHAPES = ("circle", "diamond", "hexagon", "pentagon", "square", "triangle")


def corners(shape, x, y, radius, turn):
    count = {"triangle": 3, "square": 4, "diamond": 4, "pentagon": 5, "hexagon": 6}[shape]
    start = math.pi / 4 if shape == "square" else 0
    flat = 0.55 if shape == "diamond" else 1
    points = [(flat * radius * math.sin(start + 2 * math.pi * i / count), radius * math.cos(start + 2 * math.pi * i / count))
              for i in range(count)]
    return [(x + a * math.cos(turn) - b * math.sin(turn), y + a * math.sin(turn) + b * math.cos(turn)) for a, b in points]


def draw(shape, side, chance):
    hue = chance.randrange(360)
    picture = Image.new("RGB", (side, side), f"hsl({hue}, 30%, {chance.randint(20, 45)}%)")
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = chance.random() * side, chance.random() * side
        pen.line((x, y, x + chance.gauss(0, side / 4), y + chance.gauss(0, side / 4)),
                 fill=f"hsl({chance.randrange(360)}, 25%, 55%)", width=max(1, side // 40))
    x, y = (side * chance.uniform(0.4, 0.6) for _ in range(2))
    radius = side * chance.uniform(0.2, 0.34)
    colour = f"hsl({(hue + chance.randint(90, 270)) % 360}, 75%, {chance.randint(50, 70)}%)"
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    else:
        pen.polygon(corners(shape, x, y, radius, chance.uniform(-0.3, 0.3)), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(side / 100))


def make(folder, photos, side):
    chance = random.Random(7)
    for part, count in (("train", photos), ("test", max(1, photos // 2))):
        for shape in SHAPES:
            place = pathlib.Path(folder) / part / shape
            place.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                draw(shape, side, chance).save(place / f"{shape}_{i:03}.jpg", quality=88)


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40, int(sys.argv[3]) if len(sys.argv) > 3 else 96)
