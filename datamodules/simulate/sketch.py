"""A few strokes to draw food with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import ImageDraw

Point = tuple[float, float]
Color = tuple[int, int, int]


class Sketch(NamedTuple):
    """Where food is drawn and the dice it is drawn with."""

    draw: ImageDraw.ImageDraw
    rng: np.random.Generator

    def tint(self, color: Color, spread: float = 14) -> Color:
        """``color`` a little lighter or darker and off-hue."""
        shift = self.rng.normal(0, spread) + self.rng.normal(0, spread / 3, 3)
        return tuple(int(v) for v in np.clip(np.add(color, shift), 0, 255))

    def blob(self, at: Point, size: Point, color: Color, *, rough: float = 0.05, angle: float | None = None) -> None:
        """A filled, slightly irregular ellipse of half-axes ``size`` with a darker edge below and a light top."""
        angle = self.rng.uniform(0, np.pi) if angle is None else angle
        outline = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        waves = self.rng.uniform(0, 2 * np.pi, 3)
        radius = 1 + rough * sum(np.sin((k + 2) * outline + wave) for k, wave in enumerate(waves))
        shape = np.stack([size[0] * radius * np.cos(outline), size[1] * radius * np.sin(outline)], 1)
        for offset, scale, shade in ((2.5, 1.0, -45), (0, 1.0, 0), (-1.5, 0.62, 16)):
            points = turn(shape * scale, angle) + np.add(at, (offset * 0.6, offset))
            shaded = tuple(int(v) for v in np.clip(np.add(color, shade), 0, 255))
            self.draw.polygon([tuple(p) for p in points], fill=shaded)

    def poly(self, at: Point, corners: list[Point], angle: float, color: Color) -> None:
        """A filled polygon around ``at``."""
        self.draw.polygon([tuple(p) for p in turn(np.array(corners, float), angle) + at], fill=color)

    def bar(self, at: Point, length: float, width: float, angle: float, color: Color) -> None:
        """A straight stick with a light upper side."""
        x, y = length / 2, width / 2
        self.poly((at[0] + 1.5, at[1] + 2.5), [(-x, -y), (x, -y), (x, y), (-x, y)], angle, (60, 40, 25))
        self.poly(at, [(-x, -y), (x, -y), (x, y), (-x, y)], angle, color)
        light = tuple(min(255, v + 22) for v in color)
        self.poly(at, [(-x, -y), (x, -y), (x, -y * 0.2), (-x, -y * 0.2)], angle, light)

    def near(self, at: Point, radius: float) -> Point:
        """A point within ``radius`` of ``at``, evenly over the disc."""
        distance, angle = radius * np.sqrt(self.rng.random()), self.rng.uniform(0, 2 * np.pi)
        return at[0] + distance * np.cos(angle), at[1] + distance * np.sin(angle)

    def specks(self, at: Point, radius: float, num: int, colors: list[Color], size: float) -> None:
        """Sprinkles, crumbs, herbs or seeds."""
        for _ in range(num):
            x, y = self.near(at, radius)
            color = colors[self.rng.integers(len(colors))]
            self.draw.ellipse((x - size, y - size, x + size, y + size), fill=color)


def turn(points: np.ndarray, angle: float) -> np.ndarray:
    """(n, 2) points turned about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])
