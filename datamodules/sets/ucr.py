"""Read a classification problem of the UCR and UEA archives (Dau et al. 2019), as the aeon package carries some."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from datamodules.records import Signal
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.ts_file import read_ts
from fusion.targets import Target

RATE_HZ = 1.0  # the archive gives no rate: a step counts as a second


class UcrCohort(LabelledCohort):
    """One ``problem`` of the archive, such as GunPoint, with its official train and test part.

    ``problems``: problem -> {classes, channels}, as listed in conf/data/ucr.yaml. ``root``: a folder that holds
    PROBLEM/PROBLEM_TRAIN.ts and _TEST.ts as the archive's home publishes them; null reads the aeon package's own copy.
    Licence: free for research, cite Dau et al. 2019. Split: official test; 20 % of train, class by class, validate.
    Published: 1-NN DTW error of every problem on the archive's page, e.g. GunPoint .093, ItalyPowerDemand .050.
    Faults: people behind the series are not named; test parts are public and much tuned on.
    """

    name = "ucr"
    unit = "series"
    val = 0.2

    def __init__(
        self, *, data_dir: Path | str | None, split: int, problem: str, problems: Mapping[str, Mapping[str, Any]],
        root: Path | str | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        if problem not in problems:
            raise ValueError(
                f"ucr: problem is {problem!r}, expected one of {sorted(problems)}; set data.name, or add it to "
                f"conf/data/ucr.yaml"
            )
        self.problem, self.root = problem, root
        self.channels = list(problems[problem]["channels"])
        self.targets = {"series_class": Target("classes", tuple(problems[problem]["classes"]))}

    @property
    def folder(self) -> Path:
        """Where the problem's two files lie."""
        root = Path(self.root) if self.root is not None else _aeon_data()
        if not (root / self.problem).is_dir():
            raise ValueError(f"ucr: no folder {self.problem} in {root}; set data.cohort.root")
        return root / self.problem

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of both files."""
        files = [hashlib.sha256(self._file(part).read_bytes()).hexdigest() for part in ("TRAIN", "TEST")]
        return hashlib.sha256(json.dumps([self.problem, self.split, self.seed, files]).encode()).hexdigest()[:16]

    def read(self) -> Iterator[Item]:
        for part in ("TRAIN", "TEST"):
            for number, (values, label) in enumerate(read_ts(self._file(part))):
                if values.shape[1] != len(self.channels):
                    raise ValueError(
                        f"ucr: {self.problem} has {values.shape[1]} channels, config says {self.channels}; set "
                        f"data.cohort.problems.{self.problem}.channels"
                    )
                key = f"ucr/{self.problem}/{part}/{number}"
                series = Signal(key=key, values=values, rate_hz=RATE_HZ, unit="a.u.", start_s=-len(values) / RATE_HZ)
                own = "test" if part == "TEST" else None
                yield Item(key, key, {"series": series}, {"series_class": label}, label, own)

    def divide(self, items: list[Item]) -> dict[str, str]:
        """The official test part; of the official train part, every fifth series of a class validates."""
        part_of: dict[str, str] = {}
        seen: dict[str, int] = {}
        for item in items:
            place = seen.get(item.stratum, self.split)
            part_of[item.source] = item.part or ("val" if place % 5 == 4 else "train")
            seen[item.stratum] = place + (item.part is None)
        return part_of

    def _file(self, part: str) -> Path:
        path = self.folder / f"{self.problem}_{part}.ts"
        if not path.is_file():
            raise ValueError(f"ucr: no {path.name} in {self.folder}; set data.cohort.root")
        return path


def _aeon_data() -> Path:
    """The data folder of the aeon package, found without importing it (it compiles for seconds)."""
    spec = find_spec("aeon")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("ucr: the aeon package is not installed; pip install --no-deps aeon or set data.cohort.root")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"
