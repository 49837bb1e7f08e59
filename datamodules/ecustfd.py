"""Read ECUSTFD (Liang & Li, arXiv:1705.07632): single foods from above and from the side, with their weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.labelled import Item, LabelledCohort
from datamodules.records import Photo

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
    for needed in ("trainval.txt", "volume_weight.csv"):
        if not (folder / needed).is_file():
            raise ValueError(f"ecustfd: no {needed} in {folder}; set paths.data_dir")
    weights = pd.read_csv(folder / "volume_weight.csv")
    weight_g = weights[weights["sheet"] != MIXED].set_index("id")["weight(g)"]
    for name in (folder / "trainval.txt").read_text().split():
        match = OBJECT.match(name)
        if not match:
            raise ValueError(f"ecustfd: trainval.txt names {name!r}, expected a name such as apple001S(1)")
        kind, thing = match[1], match[1] + match[2]
        path = folder / "images" / f"{name}.jpg"
        if not path.is_file():
            raise ValueError(f"ecustfd: trainval.txt names {name} but there is no {path}; set paths.data_dir")
        if kind == MIXED:
            continue
        if thing not in weight_g:
            raise ValueError(f"ecustfd: no weight of {thing!r} in volume_weight.csv; set paths.data_dir")
        yield Food(Photo(key=f"ecustfd/{name}", image=path), thing, kind, float(weight_g[thing]))


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
    labels: ClassVar = {
        "health_state": (
            "apple", "banana", "bread", "bun", "doughnut", "egg", "fired_dough_twist", "grape", "lemon", "litchi",
            "mango", "mooncake", "orange", "peach", "pear", "plum", "qiwi", "sachima", "tomato",
        ),
        "regression": ("weight_g",),
    }  # fmt: skip
    numbers = ("regression",)
    test, val = 0.3, 0.15

    def read(self) -> Iterator[Item]:
        for food in read_ecustfd(self.data_dir):
            targets = {"health_state": food.kind, "regression": {"weight_g": food.weight_g}}
            yield Item(food.photo.key, food.thing, {"photo": (food.photo,)}, targets, food.kind)
