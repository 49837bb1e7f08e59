"""Read PMData (Thambawita et al., MMSys 2020): five months of Fitbit, wellness reports and meal logs."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from datamodules.records import HealthRecord, Note, Part
from datamodules.sets.days import last_days
from datamodules.sets.labelled import Item, LabelledCohort
from fusion.targets import Target

SCALES = ("stress", "fatigue", "readiness", "sleep_quality", "mood")
ACTIVITY = ("lightly_active_minutes", "moderately_active_minutes", "very_active_minutes", "sedentary_minutes")
ZONES = ("BELOW_DEFAULT_ZONE_1", "IN_DEFAULT_ZONE_1", "IN_DEFAULT_ZONE_2", "IN_DEFAULT_ZONE_3")
UNITS = {"sleep": "min", "activity": "min", "zones": "min", "resting_heart_rate": "bpm", "wellness": "points"}


log = logging.getLogger(__name__)


class Person(NamedTuple):
    """``tables``: stream -> one row a day; ``wellness`` among them; ``diary``: day -> what was done and eaten."""

    person_id: str
    tables: dict[str, pd.DataFrame]
    diary: dict[pd.Timestamp, str]


def read_pmdata(data_dir: Path) -> Iterator[Person]:
    """Every person under ``data_dir``/pmdata, in order of their number."""
    folder = Path(data_dir) / "pmdata"
    people = sorted(path for path in folder.glob("p[0-9][0-9]") if path.is_dir())
    if not people:
        raise ValueError(f"pmdata: no folder p01, p02, ... in {folder}; set paths.data_dir")
    for path in people:
        tables = {
            "sleep": _sleep(path),
            "activity": pd.DataFrame({name: _daily(path, name, float) for name in ACTIVITY}),
            "zones": pd.DataFrame({z: _daily(path, "time_in_heart_rate_zones", partial(_zone, z)) for z in ZONES}),
            "resting_heart_rate": _daily(path, "resting_heart_rate", lambda v: v["value"] or np.nan).to_frame(),
            "wellness": _wellness(path),
        }
        yield Person(path.name, tables, _diary(path))


class PmdataCohort(LabelledCohort):
    """The last ``num_days`` of sleep, activity, heart-rate zones and reports, and the day's diary -> tomorrow's report.

    Content: 16 people, November 2019 to March 2020; 13 are at hand. A record is a person-day whose next day has a
    report; the numbers are that report's stress, fatigue, sleep quality and mood (1-5) and readiness (1-10). The diary
    says meals, fluids, alcohol and exercise of the day and never a report; past reports are a signal of their own, so
    that a model may persist.
    Licence: CC BY 4.0, from memory. People: 13 men and 3 women of 23 to 60 years.
    Split: by person, 9/2/2 or so; with 13 people one split says little.
    Published: no comparable number; measured by others, no boosted tree beat the best trivial forecast of the next day.
    Faults: one person (p12) lacks some Fitbit files; scores of 0 lie outside the scale and are unlabelled here; heart
    rate by the second, calories and photos are missing in the copy at hand; resting heart rate 0 means not measured;
    people answer 3 most days.
    """

    name = "pmdata"
    unit = "person"
    targets: ClassVar = {"wellness": Target("numbers", SCALES, "points")}
    is_sequence = True

    def __init__(self, *, data_dir: Path | str | None, split: int, num_days: int, seed: int = 0) -> None:
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        self.num_days = num_days

    def read(self) -> Iterator[Item]:
        for person in read_pmdata(self.data_dir):
            wellness = person.tables["wellness"]
            for tomorrow, report in wellness.iterrows():
                today = tomorrow - pd.Timedelta(days=1)
                key = f"pmdata/{person.person_id}/{today:%Y-%m-%d}"
                parts: dict[str, Part] = {}
                for name, table in person.tables.items():
                    signal = last_days(f"{key}/{name}", table, today, self.num_days, UNITS[name])
                    if signal is not None:
                        parts[name] = signal
                if today in person.diary:
                    parts["text"] = Note(key=f"{key}/text", text=person.diary[today])
                if parts:
                    targets = {"wellness": {name: float(report[name]) for name in SCALES}}
                    yield Item(key, person.person_id, parts, targets)

    def persistence(self, record: HealthRecord) -> dict[str, object]:
        """The trivial forecast: the last report again; NaN where there is none."""
        if "wellness" not in record.parts:
            return {"wellness": np.full(len(SCALES), np.nan)}
        past = pd.DataFrame(record.parts["wellness"].values).ffill()
        return {"wellness": past.iloc[-1].to_numpy()}


def _read_json(path: Path) -> list:
    """A list of ``path``, gzipped or plain."""
    zipped = path.with_name(f"{path.name}.gz")
    if zipped.is_file():
        return json.loads(gzip.decompress(zipped.read_bytes()))
    if path.is_file():
        return json.loads(path.read_bytes())
    log.warning("pmdata: no %s; the person goes without", path)
    return []


def _daily(person: Path, name: str, value: Callable[[Any], float]) -> pd.Series:
    """One value a day; the last where a day is told twice."""
    rows = _read_json(person / "fitbit" / f"{name}.json")
    days = {pd.Timestamp(row["dateTime"]).normalize(): value(row["value"]) for row in rows}
    return pd.Series(days, index=pd.DatetimeIndex(days.keys()), dtype=float)


def _zone(zone: str, value: dict) -> float:
    return value["valuesInZones"].get(zone, np.nan)


def _sleep(person: Path) -> pd.DataFrame:
    """Minutes asleep and awake in bed of the nights that end on a day, naps included."""
    rows = _read_json(person / "fitbit" / "sleep.json")
    table = pd.DataFrame(rows, columns=["dateOfSleep", "minutesAsleep", "minutesAwake"])
    return table.groupby(pd.to_datetime(table.pop("dateOfSleep"))).sum()


def _wellness(person: Path) -> pd.DataFrame:
    """The last report of a day; scores of 0 are none."""
    path = person / "pmsys" / "wellness.csv"
    if not path.is_file():
        raise ValueError(f"pmdata: no {path}; set paths.data_dir")
    table = pd.read_csv(path)
    day = pd.to_datetime(table["effective_time_frame"], format="ISO8601").dt.tz_localize(None).dt.normalize()
    return table[list(SCALES)].astype(float).replace(0.0, np.nan).groupby(day).last()


def _diary(person: Path) -> dict[pd.Timestamp, str]:
    """What was done, eaten and drunk on a day; never a score."""
    said: dict[pd.Timestamp, list[str]] = {}
    for row in _read_json(person / "fitbit" / "exercise.json"):
        pulse = f", average heart rate {row['averageHeartRate']}" if row.get("averageHeartRate") else ""
        what = f"{row['activityName']} for {row['activeDuration'] / 60_000:.0f} min{pulse}."
        said.setdefault(pd.Timestamp(row["startTime"]).normalize(), []).append(what)
    path = person / "googledocs" / "reporting.csv"
    if path.is_file():  # one person kept none
        for row in pd.read_csv(path, dtype=str).itertuples():
            what = f"Meals: {row.meals}. Fluids: {row.glasses_of_fluid} glasses. Alcohol: {row.alcohol_consumed}."
            said.setdefault(pd.to_datetime(row.date, dayfirst=True), []).append(what)
    return {day: " ".join(sentences) for day, sentences in said.items()}
