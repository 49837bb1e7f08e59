"""Read Stress-Predict: wrist recordings of people at rest and under induced stress.

Iqbal et al., Sensors 2022, 22(21):8135; Empatica E4: pulse 64 Hz, acceleration 32 Hz, skin conductance and temperature
4 Hz; one label a second. 27 of the 28 people at hand are labelled.
"""

# Shapes: T samples of one track, S seconds of one session.

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from datamodules.records import Signal
from datamodules.sets.layout import one_of

REST, STRESS, UNLABELLED = 0, 1, -1
STRESSORS = ("stroop", "interview", "hyperventilation")  # in this order for everybody, as the time logs say

PUBLISHED_LABELS = "Processed_data/Improved_All_Combined_hr_rsp_binary.csv"
# name of the part -> (array in the file, factor to the unit, unit); BVP is packed x 100, ACC in 1/64 g
TRACKS = {
    "ppg": ("BVP", 0.01, "a.u."),
    "eda": ("EDA", 1.0, "uS"),
    "temperature": ("TEMP", 1.0, "degC"),
    "acc": ("ACC", 1 / 64, "g"),
}


class Track(NamedTuple):
    """``values`` (T, C) in ``unit``; the first sample lies ``start_s`` after the session began."""

    values: np.ndarray
    rate_hz: float
    unit: str
    start_s: float

    def cut(self, start_s: float, length_s: float) -> np.ndarray:
        """(length_s * rate_hz, C), a view where it can be; NaN where the track had not begun or had ended."""
        first = round((start_s - self.start_s) * self.rate_hz)
        last = first + round(length_s * self.rate_hz)
        if first >= 0 and last <= len(self.values):
            return self.values[first:last]
        window = np.full((last - first, self.values.shape[1]), np.nan, np.float32)
        known = slice(max(first, 0), min(last, len(self.values)))
        window[known.start - first : max(known.stop, known.start) - first] = self.values[known]
        return window


@dataclass(frozen=True, kw_only=True)
class Session:
    """One person's recording; times are seconds since it began and never leave this class.

    ``labels`` (S,): REST, STRESS or UNLABELLED for every second.
    """

    person_id: str
    tracks: dict[str, Track]
    labels: np.ndarray

    def starts(self, label: int, length_s: float, stride_s: int) -> list[int]:
        """Seconds, ``stride_s`` apart, at which a window begins that has ``label`` throughout."""
        width = round(length_s)
        run = np.cumsum(np.concatenate([[0], self.labels == label]))
        return [s for s in range(0, len(self.labels) - width + 1, stride_s) if run[s + width] - run[s] == width]

    def stressor(self, start_s: int) -> str:
        """Which stressor a window of stress that begins at ``start_s`` belongs to: the runs of stress come in order."""
        is_stress = self.labels[: start_s + 1] == STRESS
        begun = int((is_stress & ~np.concatenate([[False], is_stress[:-1]])).sum())
        if not 1 <= begun <= len(STRESSORS):
            raise ValueError(
                f"stress_predict: {self.person_id} is in stress number {begun} at {start_s} s, the protocol has "
                f"{len(STRESSORS)}; look at the labels"
            )
        return STRESSORS[begun - 1]

    def window(self, start_s: float, length_s: float, reference_s: tuple[float, ...]) -> dict[str, Signal]:
        """All tracks of one window ending at the moment of prediction, with rest windows beginning at reference_s."""
        return {
            name: Signal(
                key=f"stress_predict/{self.person_id}/{start_s:g}/{name}",
                values=track.cut(start_s, length_s),
                rate_hz=track.rate_hz,
                unit=track.unit,
                start_s=-length_s,
                reference=tuple(track.cut(s, length_s) for s in reference_s),
            )
            for name, track in self.tracks.items()
        }


def read_stress_predict(data_dir: Path) -> list[Session]:
    """Every labelled person under ``data_dir``/stress_predict, in order of their number."""
    folder = Path(data_dir) / "stress_predict"
    table = pd.read_csv(one_of(folder, "labels_hr_rsp_binary.csv.gz", PUBLISHED_LABELS))
    return [_session(folder, f"S{number:02d}", rows) for number, rows in table.groupby("Participant")]


def _session(folder: Path, person: str, rows: pd.DataFrame) -> Session:
    published = folder / "Raw_data" / person
    packed = folder / "raw" / f"{person}.npz"
    if published.is_dir():
        tracks, began_s = _published_tracks(published)
    elif packed.is_file():
        tracks, began_s = _packed_tracks(packed)
    else:
        raise ValueError(f"stress_predict: labels name {person} but there is no {packed}; set paths.data_dir")
    second = (rows["Time(sec)"] - began_s).round().astype(int).to_numpy()
    labels = np.full(second.max() + 1, UNLABELLED)
    labels[second] = rows["Label"].to_numpy()
    return Session(person_id=person, tracks=tracks, labels=labels)


def _packed_tracks(path: Path) -> tuple[dict[str, Track], float]:
    """Tracks of one .npz, and when the pulse began."""
    with np.load(path) as file:
        began_s = float(file["BVP_start"])

        def track(name: str, factor: float, unit: str) -> Track:
            values = np.asarray(file[name], np.float32).reshape(len(file[name]), -1) * np.float32(factor)
            return Track(values, float(file[f"{name}_hz"]), unit, float(file[f"{name}_start"]) - began_s)

        return {part: track(*source) for part, source in TRACKS.items()}, began_s


def _published_tracks(folder: Path) -> tuple[dict[str, Track], float]:
    """As the wristband exports: BVP.csv, EDA.csv, ... whose first line is the start, the second the rate."""
    tables = {name: pd.read_csv(one_of(folder, f"{name}.csv"), header=None) for name, _, _ in TRACKS.values()}
    began_s = float(tables["BVP"].iloc[0, 0])
    tracks = {}
    for part, (name, factor, unit) in TRACKS.items():
        start_s, rate_hz = (float(tables[name].iloc[row, 0]) for row in (0, 1))
        values = tables[name].iloc[2:].to_numpy(np.float32) * np.float32(1.0 if name == "BVP" else factor)
        tracks[part] = Track(values, rate_hz, unit, start_s - began_s)
    return tracks, began_s
