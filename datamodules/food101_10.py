"""Read ten dishes of Food-101 (Bossard et al., ECCV 2014): photos for fair research use, never to be published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from datamodules.labelled import Item, LabelledCohort
from datamodules.layout import one_of
from datamodules.records import Photo


class Dish(NamedTuple):
    """``name``: apple_pie, beet_salad, ..."""

    photo: Photo
    name: str


def read_food101_10(data_dir: Path) -> list[Dish]:
    """Every photo of the train list under ``data_dir``/food101_10, in that order."""
    folder = Path(data_dir) / "food101_10"
    dishes = []
    for line in one_of(folder, "train.txt", "meta/train.txt").read_text().split():
        path = folder / "images" / f"{line}.jpg"
        if not path.is_file():
            raise ValueError(f"food101_10: train.txt names {line} but there is no {path}; set paths.data_dir")
        dishes.append(Dish(Photo(key=f"food101_10/{line}", image=path), line.split("/")[0]))
    return dishes


class Food101Cohort(LabelledCohort):
    """Photos of ten dishes, 375 of each.

    Content: ten of the 101 dishes of Food-101; the official train photos are read, split by photo.
    Licence: scientific fair use only ("not property of ETHZ"); never publish a photo.
    People: unknown photographers. Split: by photo, dish by dish, 65/15/20 %; photos of one perceptual hash are one.
    Published: none on these ten dishes; all 101: random forest 50.8 % (Bossard et al. 2014, from memory).
    Faults: train labels contain noise, as the authors say; two photos also occur in the official test part.
    """

    name = "food101_10"
    unit = "photo"
    alike = "photo"
    labels: ClassVar = {
        "health_state": (
            "apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare", "beet_salad", "beignets",
            "bibimbap", "bread_pudding", "breakfast_burrito",
        )
    }  # fmt: skip

    def read(self) -> Iterator[Item]:
        for dish in read_food101_10(self.data_dir):
            yield Item(dish.photo.key, dish.photo.key, {"photo": (dish.photo,)}, {"health_state": dish.name}, dish.name)
