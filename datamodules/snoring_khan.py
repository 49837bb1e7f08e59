"""Read the snoring set of Khan (Electronics 2019, 8(9):987): one-second clips, snoring or another sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.labelled import Item, LabelledCohort
from datamodules.records import Clip

NEIGHBOURS = 10  # clips are cut from longer recordings that are not named; neighbours in number are kept together
OF_ONE_KIND = 50  # the other sounds come in runs of 50 of one kind (baby, clock, door, ...)


class Sound(NamedTuple):
    """``source``: the run of neighbouring clips it belongs to; ``kind``: "snoring" or the kind of the other sound."""

    clip: Clip
    source: str
    kind: str
    is_snoring: bool


def read_snoring_khan(data_dir: Path) -> list[Sound]:
    """Every clip under ``data_dir``/snoring_khan, in the order of its meta.csv, the silent ones included."""
    folder = Path(data_dir) / "snoring_khan"
    if not (folder / "meta.csv").is_file():
        raise ValueError(f"snoring_khan: no meta.csv in {folder}; set paths.data_dir")
    sounds = []
    for row in pd.read_csv(folder / "meta.csv", dtype=str).itertuples():
        path = folder / row.filename
        if not path.is_file():
            raise ValueError(f"snoring_khan: meta.csv names {row.filename} but there is no {path}; set paths.data_dir")
        number = int(path.stem.rpartition("_")[2])
        clip = Clip(key=f"snoring_khan/{path.stem}", sound=path, rate_hz=None, start_s=0.0)
        is_snoring = row.label == "snoring"
        kind = "snoring" if is_snoring else f"other {number // OF_ONE_KIND}"
        sounds.append(Sound(clip, f"snoring_khan/{row.label}/{number // NEIGHBOURS}", kind, is_snoring))
    return sounds


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
    labels: ClassVar = {"health_state": ("other", "snoring")}

    def read(self) -> Iterator[Item]:
        for sound in read_snoring_khan(self.data_dir):
            label = "snoring" if sound.is_snoring else "other"
            yield Item(sound.clip.key, sound.source, {"audio": sound.clip}, {"health_state": label}, label)
