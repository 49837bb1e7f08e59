"""Read BasicMotions of the UEA archive (Bagnall et al. 2018): four activities under a smart watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from datamodules.records import Signal
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import parts_there
from datamodules.sets.ts_file import read_ts
from fusion.targets import Target

RATE_HZ = 10.0


class BasicMotionsCohort(LabelledCohort):
    """Standing, walking, running or badminton: ten seconds of 3 acceleration and 3 gyroscope channels at 10 Hz.

    Content: 80 series; the 40 of the official train part are at hand. Licence: BSD-3 (aeon); UEA archive data.
    People: four students, not named. Split: the official test part where BasicMotions_TEST.ts is there, and 15 % of the
    train part, class by class, validate; else by series, class by class, 65/15/20 %. People cannot be kept apart.
    Published: on the official test part 1-NN .676 (Euclidean), DTW .975 to 1.0 (UEA 2018, from memory).
    Faults: people are unknown, so every reported number may rest on knowing the person; units are not stated.
    """

    name = "basicmotions"
    unit = "series"
    targets: ClassVar = {"activity": Target("classes", ("Standing", "Running", "Walking", "Badminton"))}

    def read(self) -> Iterator[Item]:
        for official, part in parts_there(self.folder, "BasicMotions_TEST.ts").items():
            prefix = "basicmotions" if part is None else f"basicmotions/{part}"
            for number, (values, label) in enumerate(read_ts(self.folder / f"BasicMotions_{official.upper()}.ts")):
                key = f"{prefix}/{number:02d}"
                start_s = -len(values) / RATE_HZ
                series = Signal(key=key, values=values, rate_hz=RATE_HZ, unit="a.u.", start_s=start_s)
                yield Item(key, key, {"series": series}, {"activity": label}, label, part)
