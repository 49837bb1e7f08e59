"""Read the daily table of LifeSnaps (Yfantidou et al., Scientific Data 2022): Fitbit Sense days and moods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from datamodules.records import Part
from datamodules.sets.days import last_days
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from fusion.targets import Target

FILES = ("daily_fitbit_sema.csv.gz", "daily_fitbit_sema_df_unprocessed.csv")
STREAMS = {
    "sleep": ("min", ("minutesAsleep", "minutesAwake")),
    "activity": ("min", ("lightly_active_minutes", "moderately_active_minutes", "very_active_minutes")),
    "heart": ("bpm", ("resting_hr", "bpm")),
    "variability": ("ms", ("rmssd",)),
    "temperature": ("degC", ("nightly_temperature",)),
}
WHOLE_DAY_MIN = 1440  # sedentary all day: the watch lay on a table


def read_lifesnaps(data_dir: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """(person, one row a day indexed by date) under ``data_dir``/lifesnaps_daily; days without the watch are NaN."""
    path = one_of(Path(data_dir) / "lifesnaps_daily", *FILES)
    table = pd.read_csv(path, parse_dates=["date"]).replace({"stress_score": {0.0: np.nan}})
    is_off = table["sedentary_minutes"] == WHOLE_DAY_MIN
    table.loc[is_off, list(STREAMS["activity"][1])] = np.nan
    for person, days in table.groupby("id"):
        yield person, days.set_index("date").sort_index()


class LifesnapsCohort(LabelledCohort):
    """The last ``num_days`` of Fitbit features -> tense or anxious that day, tired that day, and Fitbit's stress score.

    Content: 71 people, about 100 days each; 57 are at hand. A record is a day with a mood or a score; the moment of
    prediction is its end. Inputs are sleep, activity, heart, variability and temperature; moods, places, the score and
    the parts it is made of are never read. Licence: CC BY 4.0, from memory. People: adults in four countries, 2021.
    Split: by person. Published: no baseline of this table found.
    Faults: a score of 0 means none; a day of 1440 sedentary minutes is a day without the watch; sleep of some people is
    missing throughout; the mood is one report a day at best, of 8 boxes to tick.
    """

    name = "lifesnaps_daily"
    unit = "person"
    targets: ClassVar = {
        "tension": Target("classes", ("calm", "tense")),
        "tiredness": Target("classes", ("rested", "tired")),
        "stress_score": Target("numbers", ("stress_score",), "points"),
    }
    is_sequence = True

    def __init__(self, *, data_dir: Path | str | None, split: int, num_days: int, seed: int = 0) -> None:
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        self.num_days = num_days

    def read(self) -> Iterator[Item]:
        for person, days in read_lifesnaps(self.data_dir):
            labelled = days[days["TIRED"].notna() | days["stress_score"].notna()]
            for day, row in labelled.iterrows():
                key = f"{self.name}/{person}/{day:%Y-%m-%d}"
                parts: dict[str, Part] = {}
                for name, (unit, columns) in STREAMS.items():
                    signal = last_days(f"{key}/{name}", days[list(columns)], day, self.num_days, unit)
                    if signal is not None:
                        parts[name] = signal
                if parts:
                    yield Item(key, person, parts, self._targets(row))

    def _targets(self, row: pd.Series) -> dict[str, str | dict[str, float]]:
        targets: dict[str, str | dict[str, float]] = {"stress_score": {"stress_score": float(row["stress_score"])}}
        if np.isfinite(row["TIRED"]):
            targets["tension"] = self.targets["tension"].names[int(row["TENSE/ANXIOUS"])]
            targets["tiredness"] = self.targets["tiredness"].names[int(row["TIRED"])]
        return targets
