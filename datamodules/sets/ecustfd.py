"""Read ECUSTFD (Liang & Li, arXiv:1705.07632): single foods from above and from the side, with their weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.records import Photo
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from fusion.targets import Target

OBJECT = re.compile(r"^([a-z_]+)(\d+)[STst]\(\d+\)$")  # apple001S(1): the first apple, from the side, first photo
MIXED = "mix"  # two foods on one plate: neither class nor weight is of the photo


class Food(NamedTuple):
    """``thing``: the one apple that was weighed, "apple001"; ``weight_g`` in grams."""

    photo: Photo
    thing: str
    kind: str
    weight_g: float


def read_ecustfd(data_dir: Path) -> Iterator[Food]:
    """Every photo of a single food in the official trainval list under ``data_dir``/ecustfd, in that order."""
    folder = Path(data_dir) / "ecustfd"
    names = one_of(folder, "trainval.txt", "ImageSets/Main/trainval.txt")
    weight_g = _weights(one_of(folder, "volume_weight.csv", "density.xls"))
    for name in names.read_text().split():
        match = OBJECT.match(name)
        if not match:
            raise ValueError(f"ecustfd: trainval.txt names {name!r}, expected a name such as apple001S(1)")
        kind, thing = match[1], match[1] + match[2]
        path = one_of(folder, f"images/{name}.jpg", f"JPEGImages/{name}.JPG")
        if kind == MIXED:
            continue
        if thing not in weight_g:
            raise ValueError(f"ecustfd: no weight of {thing!r} in volume_weight.csv; set paths.data_dir")
        yield Food(Photo(key=f"ecustfd/{name}", image=path), thing, kind, float(weight_g[thing]))


def _weights(path: Path) -> pd.Series:
    """Grams by object; published is a workbook with a sheet a food."""
    if path.suffix == ".csv":
        table = pd.read_csv(path)
    else:
        sheets = pd.read_excel(path, sheet_name=None, engine="calamine")
        table = pd.concat([sheet.assign(sheet=name) for name, sheet in sheets.items()])
    return table[table["sheet"] != MIXED].dropna(subset=["id"]).set_index("id")["weight(g)"]


class EcustfdCohort(LabelledCohort):
    """One food on a plate beside a coin: which of 19 foods, and how many grams.

    Content: 2,978 photos of 174 weighed foods; the official trainval part (1,245 photos) is read, without plates of two
    foods. Licence: "a free public food image dataset", no licence file; cite arXiv:1705.07632.
    People: none. Split: by the weighed object, kind by kind; the official train and validation lists share objects.
    Published: volume errors per food (arXiv:1705.07632), not comparable with weight from one photo.
    Faults: photos are turned and zoomed copies of few scenes, so photo splits leak; grape and lemon have one object
    here and are never tested; two photos without coin (mix002T(2), mix005S(4)) are among the plates left out.
    """

    name = "ecustfd"
    unit = "object"
    targets: ClassVar = {
        "food": Target("classes", (
            "apple", "banana", "bread", "bun", "doughnut", "egg", "fired_dough_twist", "grape", "lemon", "litchi",
            "mango", "mooncake", "orange", "peach", "pear", "plum", "qiwi", "sachima", "tomato",
        )),
        "weight": Target("numbers", ("weight_g",), "g"),
    }  # fmt: skip
    test, val = 0.3, 0.15

    def read(self) -> Iterator[Item]:
        for food in read_ecustfd(self.data_dir):
            targets = {"food": food.kind, "weight": {"weight_g": food.weight_g}}
            yield Item(food.photo.key, food.thing, {"photo": (food.photo,)}, targets, food.kind)
