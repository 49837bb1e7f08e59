"""Your own records: a directory each with signals, photos, sound and text, or one index; see docs/folder.md."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import cached_property
from pathlib import Path

from datamodules.own.find import find_records
from datamodules.own.problems import Problems
from datamodules.own.record import Reading, build_record
from datamodules.records import HealthRecord
from datamodules.splits import SPLITS, split_sources
from fusion.targets import Target

log = logging.getLogger(__name__)

VERSION = 1  # raise it when the same files give other records


class FolderCohort:
    """Read records under ``root``; any error in any file stops it, and names the command that lists all.

    ``targets``: what records may be labelled with (arguments of fusion.targets.Target.declare by name). ``units``: by
    signal name, the unit the model reads; others stay as declared. Where records say no split, people are split by
    hash: ``split`` 0, 1 or 2, shares ``test`` and ``val``.
    All signals are held in memory; photos and sounds are read when they are prepared.
    """

    name = "folder"

    def __init__(
        self, *, root: Path | str, targets: dict[str, dict], units: dict[str, str],
        split: int, seed: int, test: float, val: float,
    ) -> None:  # fmt: skip
        self.root = Path(root)
        self.targets = {name: Target.declare(name, **declared) for name, declared in targets.items()}
        self.units, self.split, self.seed, self.test, self.val = dict(units), split, seed, test, val

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the settings and of every file's name, size and time of change."""
        home = self.root if self.root.is_dir() else self.root.parent
        files = [
            (path.relative_to(home).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(home.rglob("*"))
            if path.is_file()
        ]
        return hashlib.sha256(json.dumps([VERSION, str(home.resolve()), self.units, files]).encode()).hexdigest()[:16]

    def records(self, split: str) -> list[HealthRecord]:
        """The records of "train", "val" or "test" in order of their names."""
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}, expected one of {list(SPLITS)}")
        return [record for record in self._records if self._split_of[record.person_id] == split]

    def ceiling(self) -> dict[str, dict[str, dict[str, float]]]:
        """Nothing is known of what could be reached."""
        return {}

    @cached_property
    def _records(self) -> list[HealthRecord]:
        if not self.root.exists():
            raise ValueError(f"folder cohort: nothing at {str(self.root)!r}; set data.cohort.root")
        problems = Problems(self.root)
        defaults, found = find_records(self.root, problems)
        problems.stop()
        reading = Reading(targets=self.targets, signals=defaults.signals, units=self.units, is_decoding=False)
        records = [build_record(one, reading, problems) for one in found]
        problems.stop()
        for problem in problems.found:
            log.warning("%s", problem.said(self.root))
        self._said_split = {one.said.person: one.said.split for one in found}
        return records

    @cached_property
    def _split_of(self) -> dict[str, str]:
        people = {record.person_id for record in self._records}
        if all(self._said_split.values()):
            return self._said_split
        return split_sources(sorted(people), split=self.split, seed=self.seed, test=self.test, val=self.val)
