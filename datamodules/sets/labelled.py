"""Turn the labelled items of one public set into records of three parts that share no person, speaker or object."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from datamodules.records import HealthRecord, Part, Span
from datamodules.sets.content import contents
from datamodules.sets.likeness import joined
from datamodules.splits import SPLITS, split_sources
from fusion.targets import Target

VERSION = 3  # raise it when the same files and settings give other records


class Item(NamedTuple):
    """One labelled recording. ``source``: the person, speaker, object, ... that may be in one part only.

    ``targets``: by name, a class, a rank, labels, {number's name: number} or the Spans of the text, as its kind wants;
    a target or number that is left out is not labelled. ``stratum``: a class or sex of the source, dealt evenly where
    the sources are few. ``part``: "train", "val" or "test" where the set itself says so.
    """

    key: str
    source: str
    parts: dict[str, Part]
    targets: dict[str, str | Sequence[str] | dict[str, float] | list[Span]]
    stratum: str = ""
    part: str | None = None


class LabelledCohort(ABC):
    """A public set under ``data_dir``/``name``; a subclass reads its items and nothing else.

    ``targets``: what its items are labelled with. ``unit``: what a source is; ``is_sequence``: a source's records
    follow each other in time, so that its earlier labels forecast.
    ``alike``: "text", "photo" or "audio" where sources that hold equal or nearly equal recordings of it are one source.
    ``split`` 0, 1 or 2 have disjoint test parts; a set with folds has as many splits, and an official test part is the
    test part of every split. ``seed`` is of the split.
    Nothing is read before it is asked for. ValueError where the folder is missing or a label is unknown.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    targets: ClassVar[dict[str, Target]] = {}
    is_sequence: ClassVar[bool] = False
    alike: ClassVar[str] = ""
    test: ClassVar[float] = 0.2
    val: ClassVar[float] = 0.15
    settings: dict[str, object]

    def __new__(cls, **settings: object) -> LabelledCohort:
        self = super().__new__(cls)
        self.settings = {key: value for key, value in settings.items() if key not in ("data_dir", "root")}
        return self

    def __init__(self, *, data_dir: Path | str | None, split: int, seed: int = 0) -> None:
        self._data_dir, self.split, self.seed = data_dir, split, seed

    @abstractmethod
    def read(self) -> Iterable[Item]:
        """Every item of the set, in an order that is always the same."""

    @property
    def data_dir(self) -> Path:
        """The folder that holds one folder per set."""
        if self._data_dir is None or not (Path(self._data_dir) / self.name).is_dir():
            raise ValueError(
                f"{self.name}: no folder {self.name!r} in {str(self._data_dir)!r}; set paths.data_dir to the directory "
                f"that holds one folder per public set"
            )
        return Path(self._data_dir)

    @property
    def folder(self) -> Path:
        """This set's own folder."""
        return self.data_dir / self.name

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the settings and of the name and content of every file of the set, taken once."""
        identity = json.dumps([VERSION, self.name, self.settings, contents(self.folder)], sort_keys=True)
        return hashlib.sha256(identity.encode()).hexdigest()[:16]

    def records(self, split: str) -> list[HealthRecord]:
        """The records of "train", "val" or "test", in the order of the set."""
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}, expected one of {list(SPLITS)}")
        return self._records[split]

    def ceiling(self) -> dict[str, dict[str, dict[str, float]]]:
        """Nobody knows the best reachable metrics of a real set."""
        return {}

    def divide(self, items: list[Item]) -> dict[str, str]:
        """By source: "train", "val" or "test". The set's own division where it has one, else strata dealt evenly.

        Beside an official test part the rest is dealt as without it, and what would have been tested trains.
        """
        given = {item.source: item.part for item in items if item.part}
        instead_of = {"test": "train"} if "test" in given.values() else {}
        strata: dict[str, dict[str, str]] = defaultdict(dict)
        for item in items:
            if item.source not in given:
                strata[item.stratum][item.source] = item.stratum
        for _, members in sorted(strata.items()):
            dealt = split_sources(members, split=self.split, seed=self.seed, test=self.test, val=self.val)
            given |= {source: instead_of.get(part, part) for source, part in dealt.items()}
        return given

    @cached_property
    def _records(self) -> dict[str, list[HealthRecord]]:
        folder = self.folder
        items = list(self.read())
        if not items:
            raise ValueError(f"{self.name}: no item in {folder}; set paths.data_dir or fetch the set again")
        if self.alike:
            source_of = joined([(item.source, item.parts[self.alike]) for item in items], self.alike)
            items = [item._replace(source=source_of[item.source]) for item in items]
        tested = {item.source for item in items if item.part == "test"}  # a test item's twin trains nothing
        items = [item for item in items if item.part or item.source not in tested]
        part_of = self.divide(items)
        records: dict[str, list[HealthRecord]] = {part: [] for part in SPLITS}
        for item in items:
            records[part_of[item.source]].append(self._record(item))
        return records

    def _record(self, item: Item) -> HealthRecord:
        targets = {name: self._value(item, name, target) for name, target in self.targets.items()}
        return HealthRecord(
            record_id=item.key, person_id=item.source, parts=item.parts,
            targets={name: value for name, value in targets.items() if value is not None},
            sources={self.unit: item.source},
        )  # fmt: skip

    def _value(self, item: Item, name: str, target: Target) -> object:
        """A label as HealthRecord holds it; None where there is none."""
        given = item.targets.get(name)
        if target.kind == "numbers":
            return np.array([(given or {}).get(one, np.nan) for one in target.names], dtype=np.float32)
        if given is None or target.kind == "spans":  # spans become tags once the text is cut into word pieces
            return given
        if target.kind == "multilabel":
            held = {self._index(item, name, target, label) for label in given}
            return np.array([index in held for index in range(len(target.names))], dtype=np.int64)
        return self._index(item, name, target, given)

    def _index(self, item: Item, name: str, target: Target, label: str) -> int:
        if label not in target.names:
            raise ValueError(
                f"{self.name}: {item.key} has {name} {label!r}, expected one of {list(target.names)}; fix data.targets"
            )
        return target.names.index(label)
