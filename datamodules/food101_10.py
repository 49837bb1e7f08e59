"""Read ten dishes of Food-101 (Bossard et al., ECCV 2014): photos for fair research use, never to be published."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from datamodules.records import Photo


class Dish(NamedTuple):
    """``name``: apple_pie, beet_salad, ..."""

    photo: Photo
    name: str


def read_food101_10(data_dir: Path) -> list[Dish]:
    """Every photo of the train list under ``data_dir``/food101_10, in that order."""
    folder = Path(data_dir) / "food101_10"
    if not (folder / "train.txt").is_file():
        raise ValueError(f"food101_10: no train.txt in {folder}; set paths.data_dir")
    dishes = []
    for line in (folder / "train.txt").read_text().split():
        path = folder / "images" / f"{line}.jpg"
        if not path.is_file():
            raise ValueError(f"food101_10: train.txt names {line} but there is no {path}; set paths.data_dir")
        dishes.append(Dish(Photo(key=f"food101_10/{line}", image=path), line.split("/")[0]))
    return dishes
