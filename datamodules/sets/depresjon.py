"""Read Depresjon (Garcia-Ceja et al., MMSys 2018): wrist actigraphy of people with and without depression."""

# Shapes: M minutes of one day.

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from datamodules.records import Signal
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from fusion.targets import Target

DAY_MIN = 1440
MIN_KNOWN = 1296  # minutes: a day with more than a tenth missing is no day
SMALLEST = 3.0  # the count that a watch on a table says now and then
MIN_MOVING = 240  # minutes above it: of the 792 days at hand 670 have 300 or more and 96 have under 30


class Day(NamedTuple):
    """``counts`` (1440, 1): activity counts a minute from midnight, NaN = not recorded; ``number`` counts days."""

    person_id: str
    number: int
    counts: np.ndarray
    madrs: float


def read_depresjon(data_dir: Path) -> Iterator[Day]:
    """Every full calendar day with the watch on, of everybody under ``data_dir``/depresjon, person by person."""
    folder = Path(data_dir) / "depresjon"
    for row in pd.read_csv(one_of(folder, "scores.csv")).itertuples():
        group = row.number.partition("_")[0]
        minute, activity = _minutes(one_of(folder, f"{row.number}.npz", f"{group}/{row.number}.csv"))
        counts = np.full((minute.max() // DAY_MIN + 1) * DAY_MIN, np.nan, np.float32)
        counts[minute] = activity
        for number, day in enumerate(counts.reshape(-1, DAY_MIN, 1)):
            if np.isfinite(day).sum() >= MIN_KNOWN and (day > SMALLEST).sum() >= MIN_MOVING:
                yield Day(row.number, number, day, float(row.madrs1))


def _minutes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Minutes since the midnight before the recording began, and the counts of each."""
    if path.suffix == ".csv":  # as published
        table = pd.read_csv(path, parse_dates=["timestamp"])
        since = table["timestamp"] - table["timestamp"][0].normalize()
        return (since.dt.total_seconds() // 60).astype(int).to_numpy(), table["activity"].to_numpy()
    with np.load(path) as file:
        start = pd.Timestamp(str(file["start"]))
        return file["minutes_from_start"] + start.hour * 60 + start.minute, file["activity"]


class DepresjonCohort(LabelledCohort):
    """One day of movement, minute by minute -> patient or control, and the patient's MADRS score at the start.

    Content: 23 patients and 32 controls, 13 days each; 18 and 26 are at hand. A record is a full calendar day
    with four hours of movement; the signal is ln(1 + counts).
    Licence: Simula's terms, free for research with citation. People: adults, unipolar and bipolar.
    Split: by person, patients and controls dealt evenly.
    Published: leave-one-person-out F1 .73, MCC .44 (Garcia-Ceja 2018, as cited by others); CNN F1 .70 (Frogner 2019).
    Faults: controls have no MADRS; five controls have a gap in time; recordings end with days off the wrist, equal for
    everybody and mostly of controls, which are left out here; the label is of the person, so days of one person are no
    independent evidence.
    """

    name = "depresjon"
    unit = "person"
    targets: ClassVar = {
        "depression": Target("classes", ("control", "condition")),
        "madrs": Target("numbers", ("madrs",), "points"),
    }

    def read(self) -> Iterator[Item]:
        for day in read_depresjon(self.data_dir):
            group = day.person_id.partition("_")[0]
            key = f"depresjon/{day.person_id}/{day.number}"
            signal = Signal(
                key=key, values=np.log1p(day.counts), rate_hz=1 / 60, unit="ln(1+counts)", start_s=-60.0 * DAY_MIN
            )
            targets = {"depression": group, "madrs": {"madrs": day.madrs}}
            yield Item(key, day.person_id, {"actigraphy": signal}, targets, group)
