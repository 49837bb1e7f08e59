"""Read the watch set of seglearn (Burns et al. 2018): shoulder exercises under a smart watch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from datamodules.records import Signal
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from datamodules.sets.pickled import read_pickled_arrays
from fusion.targets import Target

RATE_HZ = 50.0


class SeglearnWatchCohort(LabelledCohort):
    """Which of seven shoulder exercises a person does, from acceleration (g) and turning rate (rad/s) at the wrist.

    Content: 140 recordings of 20 to 50 s at 50 Hz; 112 of 8 people are at hand, cut into windows of ``window_s`` that
    start every ``stride_s``. Licence: BSD-3. People: 10 healthy adults, both arms. Split: by person.
    Published: CRNN accuracy .889 across people, .994 within (arXiv:1802.01489, 20 people, so only a guide).
    Faults: seven exercises are not balanced over people; units are not stated in the file and read off its range.
    """

    name = "seglearn_watch"
    unit = "person"
    targets: ClassVar = {"exercise": Target("classes", ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"))}
    test, val = 0.25, 0.13

    def __init__(
        self, *, data_dir: Path | str | None, split: int, window_s: float, stride_s: float, seed: int = 0
    ) -> None:
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        self.window_s, self.stride_s = window_s, stride_s

    def read(self) -> Iterator[Item]:
        for index, values, label, person in _series(one_of(self.folder, "watch.npz", "watch_dataset.npy")):
            for start_s in np.arange(0, len(values) / RATE_HZ - self.window_s, self.stride_s):
                first = round(start_s * RATE_HZ)
                window = values[first : first + round(self.window_s * RATE_HZ)]
                key = f"seglearn_watch/{index:03d}/{start_s:g}"
                yield Item(key, f"{person:02d}", self._parts(key, window), {"exercise": label})

    def _parts(self, key: str, window: np.ndarray) -> dict[str, Signal]:
        halves = {"acc": (window[:, :3], "g"), "gyro": (window[:, 3:], "rad/s")}
        return {
            name: Signal(key=f"{key}/{name}", values=values, rate_hz=RATE_HZ, unit=unit, start_s=-self.window_s)
            for name, (values, unit) in halves.items()
        }


def _series(path: Path) -> Iterator[tuple[int, np.ndarray, str, int]]:
    """(number, values (T, 6), exercise, person); published is a pickled mapping in a .npy file."""
    if path.suffix == ".npy":
        said = read_pickled_arrays(path)
        labels = [str(name) for name in said["y_labels"]]
        for index, (values, label, person) in enumerate(zip(said["X"], said["y"], said["subject"], strict=True)):
            yield index, np.asarray(values, np.float32), labels[int(label)], int(person)
        return
    with np.load(path) as file:
        labels = file["y_labels"].tolist()
        for index, label, person in zip(file["index"], file["y"], file["subject"], strict=True):
            yield int(index), file[f"X_{index:03d}"], labels[int(label)], int(person)
