"""Read the snoring set of Khan (Electronics 2019, 8(9):987): one-second clips, snoring or another sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.records import Clip
from datamodules.sets.labelled import Item, LabelledCohort
from fusion.targets import Target

NEIGHBOURS = 10  # clips are cut from longer recordings that are not named; neighbours in number are kept together
OF_ONE_KIND = 50  # the other sounds come in runs of 50 of one kind (baby, clock, door, ...)


class Sound(NamedTuple):
    """``source``: the run of neighbouring clips it belongs to; ``kind``: "snoring" or the kind of the other sound."""

    clip: Clip
    source: str
    kind: str
    is_snoring: bool


def read_snoring_khan(data_dir: Path) -> list[Sound]:
    """Every clip under ``data_dir``/snoring_khan, in the order of meta.csv or of names, the silent ones included."""
    folder = Path(data_dir) / "snoring_khan"
    sounds = []
    for path, label in _listed(folder):
        if not path.is_file():
            raise ValueError(f"snoring_khan: meta.csv names {path.name} but there is no {path}; set paths.data_dir")
        number = int(path.stem.rpartition("_")[2])
        clip = Clip(key=f"snoring_khan/{path.stem}", sound=path, rate_hz=None, start_s=0.0)
        is_snoring = label == "snoring"
        kind = "snoring" if is_snoring else f"other {number // OF_ONE_KIND}"
        sounds.append(Sound(clip, f"snoring_khan/{label}/{number // NEIGHBOURS}", kind, is_snoring))
    return sounds


def _listed(folder: Path) -> Iterator[tuple[Path, str]]:
    """(file, "snoring" or "no_snoring"); published names begin with 1 or 0, as 1_143.wav."""
    if (folder / "meta.csv").is_file():
        for row in pd.read_csv(folder / "meta.csv", dtype=str).itertuples():
            yield folder / row.filename, row.label
        return
    paths = sorted(folder.glob("*/[01]_*.wav"))
    if not paths:
        raise ValueError(f"snoring_khan: no meta.csv and no */1_0.wav or the like in {folder}; set paths.data_dir")
    yield from ((path, "snoring" if path.name[0] == "1" else "no_snoring") for path in paths)


class SnoringCohort(LabelledCohort):
    """One-second clips: a snore, or another sound of the night or the street.

    Content: 500 snoring and 500 other clips; 400 of each are read here. Licence: unclear, local research only.
    People: unknown. Split: by run of ten neighbouring clips, class by class, 65/15/20 %; runs with clips of the same
    spectral peaks are one, because recordings return elsewhere in the numbering.
    Published: CNN accuracy .96 on a random split (Khan 2019, abstract).
    Faults: clips are cut from longer recordings whose names are not given, so a source may still be in two parts; ten
    of the other clips are digital silence by design; the two classes come from different sources and may differ in more
    than the sound.
    """

    name = "snoring_khan"
    unit = "clip"
    alike = "audio"
    targets: ClassVar = {"snoring": Target("classes", ("other", "snoring"))}

    def read(self) -> Iterator[Item]:
        for sound in read_snoring_khan(self.data_dir):
            label = "snoring" if sound.is_snoring else "other"
            yield Item(sound.clip.key, sound.source, {"audio": sound.clip}, {"snoring": label}, label)
