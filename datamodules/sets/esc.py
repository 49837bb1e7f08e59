"""Read ESC-10 and one fold of ESC-50 (Piczak, ACM Multimedia 2015): five-second environmental sounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pandas as pd

from datamodules.records import Clip
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from fusion.targets import Target

NUM_FOLDS = 5
ESC50 = "meta/esc50.csv"  # the index of ESC-50 as published; the classes of ESC-10 are marked in it
ESC10_FOLDERS = {  # how ESC-10's home names its folders, "001 - Dog bark"
    "Dog": "dog", "Rooster": "rooster", "Rain": "rain", "Sea waves": "sea_waves", "Fire crackling": "crackling_fire",
    "Baby cry": "crying_baby", "Person sneeze": "sneezing", "Clock tick": "clock_tick", "Helicopter": "helicopter",
    "Chainsaw": "chainsaw",
}  # fmt: skip


def read_esc(folder: Path, index: Path) -> Iterator[tuple[Clip, str, str, int]]:
    """(clip, class, Freesound source, official fold) of every row of ``index``, in file order."""
    table = pd.read_csv(index, dtype={"src_file": str})
    if "esc10" in table:  # as published
        table = table[~table["esc10"] & (table["fold"] == 4)]
    for row in table.itertuples():
        path = folder / "audio" / row.filename
        if not path.is_file():
            raise ValueError(
                f"{folder.name}: {index.name} names {row.filename} but there is no {path}; set paths.data_dir"
            )
        yield _clip(folder, path), row.category, row.src_file, row.fold


def read_esc10_folders(folder: Path) -> Iterator[tuple[Clip, str, str, int]]:
    """As ``read_esc``, of ESC-10 as published: a folder a class, names FOLD-SOURCE-TAKE.ogg."""
    for path in sorted(folder.glob("[0-9][0-9][0-9] - */*.ogg")):
        name = path.parent.name[6:]
        category = next((own for said, own in ESC10_FOLDERS.items() if name.startswith(said)), None)
        if category is None:
            raise ValueError(f"{folder.name}: folder {path.parent.name!r} is none of {sorted(ESC10_FOLDERS)}")
        fold, source, *_ = path.stem.split("-")
        yield _clip(folder, path), category, source, int(fold)


def _clip(folder: Path, path: Path) -> Clip:
    return Clip(key=f"{folder.name}/{path.stem}", sound=path, rate_hz=None, start_s=-5.0)


class Esc10Cohort(LabelledCohort):
    """Ten kinds of sound, forty clips of each, in five official folds.

    Content: 400 clips of 5 s; sneezing and crying babies among them. Licence: CC BY 3.0.
    People: unknown; unit is the Freesound recording. Split: fold ``split`` + 1 (0 to 4) is the test part and the next
    fold validates; report all five for the published protocol.
    Published: 5-fold accuracy of people .957, random forest .727, SVM .675, k-NN .667 (Piczak 2015, from memory).
    Faults: clips are padded with silence where the sound was shorter.
    """

    name = "esc10"
    unit = "recording"
    targets: ClassVar = {
        "sound": Target("classes", (
            "dog", "rooster", "rain", "sea_waves", "crackling_fire", "crying_baby", "sneezing", "clock_tick",
            "helicopter", "chainsaw",
        ))
    }  # fmt: skip

    def read(self) -> Iterator[Item]:
        if not 0 <= self.split < NUM_FOLDS:
            raise ValueError(
                f"{self.name}: split is {self.split}, expected 0 to {NUM_FOLDS - 1}; set data.cohort.split"
            )
        part_of = {self.split + 1: "test", (self.split + 1) % NUM_FOLDS + 1: "val"}
        published = next(self.folder.glob("[0-9][0-9][0-9] - *"), None)
        rows = read_esc10_folders(self.folder) if published else read_esc(self.folder, one_of(self.folder, "esc10.csv"))
        for clip, category, source, fold in rows:
            part = part_of.get(fold, "train")
            yield Item(clip.key, source, {"audio": clip}, {"sound": category}, category, part)


class Esc50Fold4Cohort(LabelledCohort):
    """The forty other kinds of sound of ESC-50's fourth fold: coughing, breathing, snoring, footsteps, ...

    Content: 320 clips of 5 s, eight of each kind; 208 are read here. Licence: CC BY-NC 3.0, not for commercial use.
    People: unknown; unit is the Freesound recording. Split: by recording, kind by kind, 65/15/20 %.
    Published: the 5-fold numbers of ESC-50 do not apply to one fold.
    Faults: about five clips of each kind are left, often of two or three recordings: good for few-shot work only, and a
    kind may be missing from validation or test.
    """

    name = "esc50_fold4"
    unit = "recording"
    targets: ClassVar = {
        "sound": Target("classes", (
            "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow", "crickets", "chirping_birds", "water_drops",
            "wind", "pouring_water", "toilet_flush", "thunderstorm", "clapping", "breathing", "coughing", "footsteps",
            "laughing", "brushing_teeth", "snoring", "drinking_sipping", "door_wood_knock", "mouse_click",
            "keyboard_typing", "door_wood_creaks", "can_opening", "washing_machine", "vacuum_cleaner", "clock_alarm",
            "glass_breaking", "siren", "car_horn", "engine", "train", "church_bells", "airplane", "fireworks",
            "hand_saw",
        ))
    }  # fmt: skip

    def read(self) -> Iterator[Item]:
        for clip, category, source, _ in read_esc(self.folder, one_of(self.folder, "meta.csv", ESC50)):
            yield Item(clip.key, source, {"audio": clip}, {"sound": category}, category)
