"""Read ShanghaiT1DM and ShanghaiT2DM (Zhao et al., Scientific Data 2023): glucose sensors, meals and drugs."""

# Shapes: T grid steps of one recording, 15 minutes apart.

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from datamodules.records import HealthRecord, Note, Signal
from datamodules.sets.labelled import Item, LabelledCohort
from fusion.targets import Target

STEP_S = 900.0
HISTORY = 96  # steps: 24 hours
AHEAD = {"change_30min": 2, "change_60min": 4}  # steps
EVENT_STEPS, EVENT_KNOWN = 8, 6  # 2 hours, of which 6 readings must be there
LOW_MG_DL, HIGH_MG_DL = 70.0, 180.0  # ADA Standards of Care 2024, section 6: level 1 hypoglycaemia; target range
TEXT_STEPS = 24  # 6 hours: meals and injections older than that have mostly acted
MIN_HISTORY = 16  # 4 hours of readings, most of them there
NOT_SAID = "data not available"
ATE, INSULIN, DRUGS, BOLUS = "Dietary intake", "Insulin dose - s.c.", "Non-insulin hypoglycemic agents", "CSII - bolus"


class Recording(NamedTuple):
    """``glucose_mg_dl`` (T,), NaN = no reading; ``events``: grid step -> what was eaten or given then."""

    name: str
    person: str
    kind: str
    glucose_mg_dl: np.ndarray
    events: dict[int, list[str]]


def read_shanghai_dm(data_dir: Path) -> Iterator[Recording]:
    """Every recording under ``data_dir``/shanghai_dm, type 1 first, on a grid of 15 minutes."""
    folder = Path(data_dir) / "shanghai_dm"
    paths = sorted(path for kind in ("csv.gz", "xls", "xlsx") for path in folder.glob(f"Shanghai_T?DM/[0-9]*.{kind}"))
    if not paths:
        raise ValueError(f"shanghai_dm: no Shanghai_T1DM/*.csv.gz, .xls or .xlsx in {folder}; set paths.data_dir")
    for path in paths:
        table = pd.read_csv(path) if path.name.endswith(".csv.gz") else pd.read_excel(path, engine="calamine")
        (glucose,) = (name for name in table if name.startswith("CGM"))
        time = pd.to_datetime(table["Date"])
        step = ((time - time[0]).dt.total_seconds() / STEP_S).round().astype(int)
        if (step.diff().dropna() < 1).any():
            raise ValueError(f"shanghai_dm: {path.name} has readings out of order or closer than 15 minutes")
        grid = np.full(step.iloc[-1] + 1, np.nan)
        grid[step] = table[glucose]
        name = path.name.partition(".")[0]
        yield Recording(name, name.split("_")[0], path.parent.name[9:], grid, _events(table, step))


def _events(table: pd.DataFrame, step: pd.Series) -> dict[int, list[str]]:
    events: dict[int, list[str]] = {}
    for column in table:
        for place, cell in table[column].dropna().astype(str).items():
            words = ", ".join(cell.split("\n")).strip()
            if column == ATE and words.lower() != NOT_SAID:
                events.setdefault(step[place], []).append(f"ate {words}")
            elif column in (INSULIN, DRUGS):
                events.setdefault(step[place], []).append(f"took {words}")
            elif column.startswith(BOLUS) and words.replace(".", "").isdigit():
                events.setdefault(step[place], []).append(f"took insulin bolus, {words} IU")
    return events


class ShanghaiDmCohort(LabelledCohort):
    """A day of glucose and six hours of meals and drugs -> the change in 30 and 60 minutes, and what two hours bring.

    Content: 101 recordings of 94 people of 3 to 14 days, a reading every 15 minutes; 75 people are at hand. A record
    begins every ``stride`` readings. Numbers are changes in mg/dL from the last reading, so their RMSE is that of the
    level. The class is hypo if any reading of the next two hours is below 70 mg/dL, else hyper if any is above 180,
    else in_range (ADA).
    Licence: public for research; figshare CC BY 4.0, from memory. People: type 1 and type 2 diabetes.
    Split: by person, type by type.
    Published: none found; measured by others on all rows, RMSE at 30/60 min of persistence 17.8/29.9, ridge 13.1/23.5.
    Faults: 24 of 125 files and both clinical summaries are missing in the copy at hand; many meals are not logged.
    """

    name = "shanghai_dm"
    unit = "person"
    targets: ClassVar = {
        "glucose_event": Target("classes", ("hypo", "in_range", "hyper")),
        "glucose_change": Target("numbers", tuple(AHEAD), "mg/dL"),
    }
    is_sequence = True

    def __init__(self, *, data_dir: Path | str | None, split: int, stride: int, seed: int = 0) -> None:
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        self.stride = stride

    def read(self) -> Iterator[Item]:
        for recording in read_shanghai_dm(self.data_dir):
            glucose = recording.glucose_mg_dl
            for now in range(MIN_HISTORY, len(glucose) - EVENT_STEPS, self.stride):
                if np.isfinite(glucose[now]) and np.isfinite(glucose[now - MIN_HISTORY : now]).mean() > 0.5:
                    key = f"shanghai_dm/{recording.name}/{now}"
                    yield Item(
                        key, recording.person, _parts(key, recording, now), _targets(glucose, now), recording.kind
                    )

    def persistence(self, record: HealthRecord) -> dict[str, object]:
        """The trivial forecast: nothing changes."""
        last = record.parts["glucose"].values[-1, 0]
        return {
            "glucose_change": np.zeros(len(AHEAD)),
            "glucose_event": self.targets["glucose_event"].names.index(state_of(np.array([last]))),
        }


def state_of(glucose_mg_dl: np.ndarray) -> str:
    """hypo, hyper or in_range: the first that any reading shows."""
    if np.nanmin(glucose_mg_dl) < LOW_MG_DL:
        return "hypo"
    return "hyper" if np.nanmax(glucose_mg_dl) > HIGH_MG_DL else "in_range"


def _parts(key: str, recording: Recording, now: int) -> dict[str, Signal | Note]:
    window = np.full((HISTORY, 1), np.nan, np.float32)
    known = recording.glucose_mg_dl[max(0, now + 1 - HISTORY) : now + 1]
    window[HISTORY - len(known) :, 0] = known
    parts: dict[str, Signal | Note] = {
        "glucose": Signal(
            key=f"{key}/glucose", values=window, rate_hz=1 / STEP_S, unit="mg/dL", start_s=-(HISTORY - 1) * STEP_S
        )
    }
    said = [
        f"{(now - step) * STEP_S / 3600:g} h ago {what}."
        for step in range(now, now - TEXT_STEPS, -1)
        for what in recording.events.get(step, ())
    ]
    if said:
        parts["text"] = Note(key=f"{key}/text", text=" ".join(said))
    return parts


def _targets(glucose: np.ndarray, now: int) -> dict[str, str | dict[str, float]]:
    targets: dict[str, str | dict[str, float]] = {
        "glucose_change": {name: float(glucose[now + steps] - glucose[now]) for name, steps in AHEAD.items()}
    }
    ahead = glucose[now + 1 : now + 1 + EVENT_STEPS]
    if np.isfinite(ahead).sum() >= EVENT_KNOWN:
        targets["glucose_event"] = state_of(ahead)
    return targets
