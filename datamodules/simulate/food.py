"""The foods a plate can carry, four for each kind of meal: each drawn around ``at`` within about radius ``r``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datamodules.simulate.sketch import Point, Sketch, turn

# --- dessert ---------------------------------------------------------------------------------------------------------


def _donut(s: Sketch, at: Point, r: float) -> None:
    s.blob(at, (r, r), s.tint((205, 150, 90)), rough=0.01)
    glazes = ((240, 140, 170), (90, 50, 32), (245, 235, 220))
    glaze = s.tint(glazes[s.rng.integers(3)], 8)
    s.blob(at, (r * 0.86, r * 0.86), glaze, rough=0.03)
    for _ in range(26):
        distance, angle = r * s.rng.uniform(0.42, 0.78), s.rng.uniform(0, 2 * np.pi)
        colors = [(250, 230, 80), (90, 180, 240), (250, 250, 250), (230, 70, 70)]
        x, y = at[0] + distance * np.cos(angle), at[1] + distance * np.sin(angle)
        s.poly((x, y), [(-4, -1.3), (4, -1.3), (4, 1.3), (-4, 1.3)], s.rng.uniform(0, 3), colors[s.rng.integers(4)])
    hole = r * 0.28
    s.draw.ellipse((at[0] - hole, at[1] - hole, at[0] + hole, at[1] + hole), fill=(222, 216, 206))


def _cake(s: Sketch, at: Point, r: float) -> None:
    angle = s.rng.uniform(0, 2 * np.pi)
    sponge, cream = s.tint(((225, 185, 110), (92, 54, 34))[s.rng.integers(2)], 8), s.tint((250, 240, 228), 5)
    for i, color in enumerate((sponge, cream, sponge, cream, sponge)):
        shift = (4 - i) * r * 0.11
        at_layer = (at[0], at[1] + shift)
        s.poly(at_layer, [(-r, 0), (r * 0.8, -r * 0.6), (r * 0.8, r * 0.6)], angle, color)
    s.poly(at, [(-r, 0), (r * 0.8, -r * 0.6), (r * 0.8, r * 0.6)], angle, s.tint((246, 216, 220), 10))
    s.blob((at[0] + r * 0.1, at[1] - 4), (r * 0.17, r * 0.17), (200, 30, 45), rough=0.02)


def _ice_cream(s: Sketch, at: Point, r: float) -> None:
    flavours = ((244, 170, 190), (96, 60, 42), (250, 238, 206), (170, 220, 190))
    for i in range(3):
        angle = 2 * np.pi * i / 3 + s.rng.uniform(0, 0.6)
        ball = (at[0] + r * 0.45 * np.cos(angle), at[1] + r * 0.45 * np.sin(angle))
        s.blob(ball, (r * 0.5, r * 0.5), s.tint(flavours[s.rng.integers(4)], 6), rough=0.02)
    s.specks(at, r * 0.7, 20, [(70, 38, 22)], 2)


def _cookies(s: Sketch, at: Point, r: float) -> None:
    for _ in range(4):
        x = s.near(at, r * 0.7)
        s.blob(x, (r * 0.42, r * 0.42), s.tint((206, 152, 88), 8), rough=0.03)
        s.specks(x, r * 0.34, 9, [(62, 34, 20)], 4)


# --- heavy -----------------------------------------------------------------------------------------------------------


def _fries(s: Sketch, at: Point, r: float) -> None:
    for _ in range(34):
        color = s.tint((236, 190, 84), 12)
        s.bar(s.near(at, r * 0.75), r * s.rng.uniform(0.6, 1.0), 8, s.rng.uniform(0, np.pi), color)
    if s.rng.random() < 0.5:
        s.blob(s.near(at, r * 0.6), (r * 0.25, r * 0.2), (178, 26, 22), rough=0.08)


def _burger(s: Sketch, at: Point, r: float) -> None:
    s.blob((at[0], at[1] + r * 0.22), (r, r * 0.88), s.tint((96, 56, 34), 6), rough=0.04, angle=0)
    s.blob((at[0], at[1] + r * 0.12), (r * 1.0, r * 0.88), (246, 190, 60), rough=0.07, angle=0.5)
    s.blob(at, (r * 0.94, r * 0.88), s.tint((206, 136, 66), 8), rough=0.01, angle=0)
    s.specks((at[0], at[1] - r * 0.1), r * 0.66, 36, [(250, 236, 200)], 2.2)


def _pizza(s: Sketch, at: Point, r: float) -> None:
    angle = s.rng.uniform(0, 2 * np.pi)
    s.poly((at[0], at[1] + 4), [(-r * 1.2, 0), (r, -r * 0.8), (r, r * 0.8)], angle, (150, 96, 50))
    s.poly(at, [(-r * 1.2, 0), (r, -r * 0.8), (r, r * 0.8)], angle, s.tint((242, 196, 96), 8))
    crust = turn(np.array([[r * 0.95, 0.0]]), angle)[0] + at
    s.bar(tuple(crust), r * 1.6, r * 0.24, angle + np.pi / 2, s.tint((196, 136, 72), 6))
    for x, y in ((-0.35, 0), (0.35, -0.3), (0.3, 0.3), (0.7, 0.0)):
        spot = turn(np.array([[x * r, y * r]]), angle)[0] + at
        s.blob(tuple(spot), (r * 0.17, r * 0.17), s.tint((178, 44, 34), 8), rough=0.03)


def _sausages(s: Sketch, at: Point, r: float) -> None:
    angle = s.rng.uniform(0, np.pi)
    across = np.array([-np.sin(angle), np.cos(angle)])
    for offset in (-0.55, 0, 0.55):
        middle = np.add(at, across * offset * r)
        s.blob(tuple(middle), (r * 0.95, r * 0.23), s.tint((142, 66, 38), 8), rough=0.02, angle=angle)
        for along in (-0.4, 0, 0.4):
            cut = middle + np.array([np.cos(angle), np.sin(angle)]) * along * r
            s.poly(
                tuple(cut), [(-2, -r * 0.15), (2, -r * 0.15), (2, r * 0.15), (-2, r * 0.15)], angle + 0.5, (86, 38, 22)
            )


# --- lean protein ----------------------------------------------------------------------------------------------------


def _salmon(s: Sketch, at: Point, r: float) -> None:
    angle, color = s.rng.uniform(0, np.pi), s.tint((242, 140, 104), 10)
    s.blob(at, (r * 1.05, r * 0.6), color, rough=0.04, angle=angle)
    for along in np.linspace(-0.75, 0.75, 7):
        x = np.add(at, np.array([np.cos(angle), np.sin(angle)]) * along * r)
        height = r * 0.5 * np.sqrt(1 - along**2)
        s.poly(
            tuple(x), [(-2, -height), (2, -height), (9, 0), (2, height), (-2, height), (5, 0)], angle, (252, 196, 168)
        )


def _chicken(s: Sketch, at: Point, r: float) -> None:
    angle = s.rng.uniform(0, np.pi)
    s.blob(at, (r * 1.0, r * 0.66), s.tint((232, 206, 160), 8), rough=0.07, angle=angle)
    for along in np.linspace(-0.6, 0.6, 5):
        x = np.add(at, np.array([np.cos(angle), np.sin(angle)]) * along * r)
        height = r * 0.5 * np.sqrt(1 - along**2)
        s.bar(tuple(x), 2 * height, 4.5, angle + np.pi / 2 + 0.4, (120, 78, 46))


def _eggs(s: Sketch, at: Point, r: float) -> None:
    for side in (-0.5, 0.5):
        x = (at[0] + side * r + s.rng.normal(0, 5), at[1] + s.rng.normal(0, r * 0.2))
        s.blob(x, (r * 0.6, r * 0.52), (250, 248, 242), rough=0.08)
        s.blob(s.near(x, r * 0.1), (r * 0.22, r * 0.22), s.tint((246, 180, 44), 8), rough=0.02)


def _tuna(s: Sketch, at: Point, r: float) -> None:
    angle = s.rng.uniform(0, np.pi)
    for along in np.linspace(-0.8, 0.8, 5):
        x = np.add(at, np.array([np.cos(angle), np.sin(angle)]) * along * r)
        s.blob(tuple(x), (r * 0.16, r * 0.55), (150, 112, 100), rough=0.03, angle=angle + 0.15)
        s.blob(tuple(x), (r * 0.11, r * 0.46), s.tint((206, 74, 84), 8), rough=0.03, angle=angle + 0.15)


# --- vegetables ------------------------------------------------------------------------------------------------------


def _leaves(s: Sketch, at: Point, r: float) -> None:
    for _ in range(26):
        color = s.tint(((70, 140, 50), (120, 180, 70), (46, 104, 48))[s.rng.integers(3)], 10)
        s.blob(s.near(at, r * 0.8), (r * 0.34, r * 0.2), color, rough=0.14)


def _tomatoes(s: Sketch, at: Point, r: float) -> None:
    for _ in range(5):
        x = s.near(at, r * 0.75)
        s.blob(x, (r * 0.33, r * 0.33), s.tint((206, 44, 36), 8), rough=0.02)
        s.blob(x, (r * 0.25, r * 0.25), (232, 96, 76), rough=0.04)
        s.specks(x, r * 0.2, 8, [(248, 214, 130)], 2)


def _broccoli(s: Sketch, at: Point, r: float) -> None:
    for _ in range(5):
        x = s.near(at, r * 0.65)
        s.bar((x[0], x[1] + r * 0.25), r * 0.4, r * 0.16, np.pi / 2, (156, 190, 104))
        color = s.tint((52, 116, 46), 8)
        for _ in range(9):
            s.blob(s.near(x, r * 0.24), (r * 0.13, r * 0.13), s.tint(color, 8), rough=0.1)


def _carrots_and_cucumber(s: Sketch, at: Point, r: float) -> None:
    for _ in range(9):
        x = s.near(at, r * 0.8)
        if s.rng.random() < 0.5:
            s.blob(x, (r * 0.19, r * 0.19), s.tint((240, 130, 36), 8), rough=0.02)
            s.blob(x, (r * 0.08, r * 0.08), (252, 168, 78), rough=0.05)
        else:
            s.blob(x, (r * 0.27, r * 0.27), s.tint((60, 120, 52), 8), rough=0.01)
            s.blob(x, (r * 0.22, r * 0.22), (206, 228, 160), rough=0.02)


FOODS: dict[str, tuple[Callable[[Sketch, Point, float], None], ...]] = {
    "dessert": (_donut, _cake, _ice_cream, _cookies),
    "heavy": (_fries, _burger, _pizza, _sausages),
    "lean": (_salmon, _chicken, _eggs, _tuna),
    "vegetable": (_leaves, _tomatoes, _broccoli, _carrots_and_cucumber),
}
