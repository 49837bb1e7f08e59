"""Draw a photo of a plate from above: a dessert, a heavy meal, lean protein or vegetables.

Table, crockery, size, place, light, blur and garnish vary alike for all four; only the food tells them apart.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datamodules.simulate.food import FOODS
from datamodules.simulate.sketch import Point, Sketch

SIZE = 160  # pixels of the finished photo
SCALE = 2  # drawn larger, then averaged down: smooth edges
TABLES = ((139, 98, 62), (94, 66, 46), (196, 164, 124), (226, 222, 214), (70, 78, 88), (122, 140, 128), (168, 60, 58))
PLATES = ((246, 245, 240), (236, 226, 206), (206, 220, 230), (58, 60, 66), (214, 190, 170), (232, 240, 226))


def simulate_plate(meal: str, rng: np.random.Generator) -> bytes:
    """The bytes of a SIZE x SIZE JPEG: ``meal`` is "dessert", "heavy", "lean" or "vegetable"."""
    canvas = SIZE * SCALE
    image = _table(rng, canvas)
    sketch = Sketch(ImageDraw.Draw(image), rng)
    center = tuple(canvas / 2 + rng.uniform(-14, 14, 2))
    radius = canvas * rng.uniform(0.36, 0.46)
    _plate(sketch, center, radius)
    kinds = rng.permutation(len(FOODS[meal]))[: rng.integers(1, 3)]
    spread = radius * 0.34 if len(kinds) > 1 else 0.0
    direction = rng.uniform(0, 2 * np.pi)
    for side, kind in enumerate(kinds):
        turn = direction + side * np.pi
        at = (center[0] + spread * np.cos(turn), center[1] + spread * np.sin(turn))
        FOODS[meal][kind](sketch, at, radius * (0.62 if len(kinds) == 1 else 0.42))
    if rng.random() < 0.4:  # garnish says nothing
        sketch.specks(sketch.near(center, radius * 0.6), radius * 0.2, 12, [(60, 120, 50), (240, 240, 230)], 1.6)
    return _photograph(image, rng)


def _table(rng: np.random.Generator, canvas: int) -> Image.Image:
    """A table top: plain, boards or checked cloth."""
    color = np.array(TABLES[rng.integers(len(TABLES))], np.float32)
    yy, xx = np.ogrid[:SIZE, :SIZE]
    kind, width = ("plain", "boards", "checked")[rng.integers(3)], rng.uniform(15, 35)
    if kind == "boards":
        shade = 10 * np.sin(xx * 0.1 + 3 * np.sin(yy * 0.02) + np.floor(yy / width) * 2.3) - 30 * (yy % width < 1)
    elif kind == "checked":
        shade = 14 * ((xx // width) % 2 + (yy // width) % 2 - 1)
    else:
        shade = np.zeros((SIZE, SIZE))
    pixels = np.clip(color + shade.astype(np.float32)[..., None], 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((canvas, canvas), Image.Resampling.NEAREST)


def _plate(sketch: Sketch, center: Point, radius: float) -> None:
    """Shadow, rim and well; often a fork beside it."""
    draw, rng = sketch.draw, sketch.rng
    color = sketch.tint(PLATES[rng.integers(len(PLATES))], 6)
    if rng.random() < 0.6:
        x = center[0] + (1 if rng.random() < 0.5 else -1) * radius * 1.12
        sketch.bar((x, center[1]), radius * 1.3, 6, np.pi / 2 + rng.normal(0, 0.05), (190, 190, 195))
    rings = ((8, 1.0, -110), (0, 1.0, 0), (0, 0.97, -12), (0, 0.95, 4), (0, 0.72, -18), (0, 0.70, 2))
    for offset, scale, shade in rings:
        r = radius * scale
        box = (center[0] - r + offset / 2, center[1] - r + offset, center[0] + r + offset / 2, center[1] + r + offset)
        draw.ellipse(box, fill=tuple(int(v) for v in np.clip(np.add(color, shade), 0, 255)))


def _photograph(image: Image.Image, rng: np.random.Generator) -> bytes:
    """Light falling from one side, white balance, blur, sensor noise, JPEG."""
    image = image.resize((SIZE, SIZE), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
    pixels = np.asarray(image, np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    yy, xx = np.ogrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    light = rng.uniform(0.75, 1.1) + rng.uniform(0, 0.18) * (xx * np.cos(direction) + yy * np.sin(direction))
    pixels = pixels * light[..., None] * rng.normal(1, 0.04, 3) + rng.normal(0, rng.uniform(1, 6), pixels.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(rng.integers(75, 95)))
    return file.getvalue()
