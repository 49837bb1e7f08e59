"""Read ten dishes of Food-101 (Bossard et al., ECCV 2014): photos for fair research use, never to be published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from datamodules.records import Photo
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of, parts_there
from fusion.targets import Target


class Dish(NamedTuple):
    """``name``: apple_pie, beet_salad, ..."""

    photo: Photo
    name: str


def read_food101_10(data_dir: Path, part: str = "train") -> list[Dish]:
    """Every photo of the official list ``part``, train or test, under ``data_dir``/food101_10, in that order."""
    folder = Path(data_dir) / "food101_10"
    dishes = []
    for line in one_of(folder, *_lists(part)).read_text().split():
        path = folder / "images" / f"{line}.jpg"
        if not path.is_file():
            raise ValueError(f"food101_10: {part}.txt names {line} but there is no {path}; set paths.data_dir")
        dishes.append(Dish(Photo(key=f"food101_10/{line}", image=path), line.split("/")[0]))
    return dishes


class Food101Cohort(LabelledCohort):
    """Photos of ten dishes, 500 of each; 375 are at hand.

    Content: ten of the 101 dishes of Food-101; 3,750 official train photos, and 1,250 test photos at its home.
    Licence: scientific fair use only ("not property of ETHZ"); never publish a photo.
    People: unknown photographers. Split: the official test photos where test.txt is there, and 15 % of the train
    photos, dish by dish, validate; else by photo, dish by dish, 65/15/20 %. Photos of one perceptual hash are one.
    Published: none on these ten dishes; all 101: random forest 50.8 % (Bossard et al. 2014, from memory).
    Faults: train labels contain noise, as the authors say; two train photos also occur in the official test part, and
    are left out beside it.
    """

    name = "food101_10"
    unit = "photo"
    alike = "photo"
    targets: ClassVar = {
        "dish": Target("classes", (
            "apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare", "beet_salad", "beignets",
            "bibimbap", "bread_pudding", "breakfast_burrito",
        ))
    }  # fmt: skip

    def read(self) -> Iterator[Item]:
        for official, part in parts_there(self.folder, *_lists("test")).items():
            for dish in read_food101_10(self.data_dir, official):
                parts, targets = {"photo": (dish.photo,)}, {"dish": dish.name}
                yield Item(dish.photo.key, dish.photo.key, parts, targets, dish.name, part)


def _lists(part: str) -> tuple[str, str]:
    return f"{part}.txt", f"meta/{part}.txt"
