"""Read the Grocery Store set (Klasson et al., WACV 2019): phone photos of fruit, vegetables and packages on shelves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from datamodules.records import Photo
from datamodules.sets.labelled import Item, LabelledCohort
from fusion.targets import Target


class Grocery(NamedTuple):
    """``fine``: "Royal-Gala"; ``coarse``: "Apple"; ``part``: the official list it is on."""

    photo: Photo
    fine: str
    coarse: str
    part: str


def read_grocery_store(data_dir: Path, parts: Sequence[str]) -> Iterator[Grocery]:
    """Every photo of the official lists ``parts`` under ``data_dir``/grocery_store, in their order."""
    folder = Path(data_dir) / "grocery_store"
    if not (folder / "classes.csv").is_file():
        raise ValueError(f"grocery_store: no classes.csv in {folder}; set paths.data_dir")
    table = pd.read_csv(folder / "classes.csv").set_index("Class ID (int)")
    for part in parts:
        if not (folder / f"{part}.txt").is_file():
            raise ValueError(f"grocery_store: no {part}.txt in {folder}; set data.cohort.test_list or paths.data_dir")
        for line in (folder / f"{part}.txt").read_text().splitlines():
            name, number, _ = (cell.strip() for cell in line.split(","))
            path = folder / name
            if not path.is_file():
                raise ValueError(f"grocery_store: {part}.txt names {name} but there is no {path}; set paths.data_dir")
            row = table.loc[int(number)]
            photo = Photo(key=f"grocery_store/{name}", image=path)
            yield Grocery(photo, row["Class Name (str)"], row["Coarse Class Name (str)"], part)


class GroceryStoreCohort(LabelledCohort):
    """Photos of single groceries, 81 fine classes in 43 coarse ones, such as Royal-Gala in Apple.

    Content: 5,125 natural photos; the official train (2,640) and validation part (296) are at hand.
    Licence: MIT. People: one photographer, 18 shops. Split: official lists. ``test_list`` names the test list: "test"
    where it is there; with "val" the small official validation list is the test part and a seventh of the train photos,
    class by class, validates. ``fine`` and ``coarse`` are the classes, in the order of classes.csv.
    Published: on the official test part CNNs .860 fine, .920 coarse (Antioquia 2021); VGG-16 .669 (Jonathan 2022).
    Faults: consecutive photos of one shelf are alike, and may be on both sides of a split of the train list.
    """

    name = "grocery_store"
    unit = "photo"

    def __init__(
        self, *, data_dir: Path | str | None, split: int, test_list: str, fine: Sequence[str], coarse: Sequence[str],
        seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        if test_list not in ("val", "test"):
            raise ValueError(f"grocery_store: test_list is {test_list!r}, expected val or test; set data.cohort")
        self.test_list = test_list
        self.targets = {"product": Target("classes", tuple(fine)), "product_group": Target("classes", tuple(coarse))}

    def read(self) -> Iterator[Item]:
        parts = ("train", "val", "test") if self.test_list == "test" else ("train", "val")
        for grocery in read_grocery_store(self.data_dir, parts):
            part = "test" if grocery.part == self.test_list else grocery.part
            targets = {"product": grocery.fine, "product_group": grocery.coarse}
            yield Item(grocery.photo.key, grocery.photo.key, {"photo": (grocery.photo,)}, targets, grocery.fine, part)

    def divide(self, items: list[Item]) -> dict[str, str]:
        """The official lists; where one serves as the test part, every seventh train photo of a class validates."""
        part_of = {item.source: item.part for item in items}
        if "val" not in part_of.values():
            taken: dict[str, int] = {}
            for item in items:
                if item.part == "train":
                    taken[item.stratum] = taken.get(item.stratum, self.split - 1) + 1
                    part_of[item.source] = "val" if taken[item.stratum] % 7 == 6 else "train"
        return part_of
