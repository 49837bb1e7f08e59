"""Look over your own records or a public set before training; exit status 1 on errors.

    python -m datamodules.check DIR                               your own records
    python -m datamodules.check data=NAME paths.data_dir=DIR      a public set, in DIR/NAME

Everything is read to its last byte. Counts, rates, durations, missingness and label balance come as tables, problems
with file and line. DIR is a directory of record directories or an index (csv, parquet); see docs/folder.md. Signals are
read in the units that conf/data/folder.yaml names, and people are split, as in training. Other words are overrides of
the training configuration.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hydra.errors import HydraException
from omegaconf import OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from datamodules.inspect.check_set import read_set, table_report
from datamodules.inspect.public import TABLES
from datamodules.own.find import find_records
from datamodules.own.problems import Problems
from datamodules.own.record import Found, Reading, build_record
from datamodules.records import Clip, HealthRecord, Note, Signal
from datamodules.splits import SPLITS, split_sources
from fusion.targets import Target
from fusion.training.compose import compose_config

MIN_PER_CLASS = 5  # fewer people than this show a class to no split or to one only


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; 1 where there is any error."""
    parser = argparse.ArgumentParser(prog="python -m datamodules.check", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="+", help="a directory of records, an index csv or parquet, or data=NAME")
    parser.add_argument(
        "--labels", action="append", default=[], metavar="HEAD=A,B", help="classes of a head, or names of its numbers"
    )
    parser.add_argument("--split", type=int, default=0, help="which split by people: 0, 1 or 2")
    options = parser.parse_args(argv)
    said = dict(word.split("=", 1) for word in options.what if "=" in word and not Path(word).exists())
    if len(options.what) != (len(said) or 1) or (said and not {"data", "paths.data_dir"} <= said.keys()):
        parser.error(f"got {options.what}, expected one directory or index, or data=NAME paths.data_dir=DIR")
    root = Path(said["paths.data_dir"] if said else options.what[0])
    problems = Problems(root)
    if said.get("data") in TABLES:
        tables, count = [table_report(said["data"], root, problems)], None
    else:
        try:
            checked, split_of = _public(said, options.split, root, problems) if said else _own(options, root, problems)
        except (ValueError, HydraException) as error:  # of a word on the command line
            parser.error(str(error))
        tables, count = report(checked, split_of), len(checked.records)
    console = Console(width=120 if not sys.stdout.isatty() else None)
    for table in tables:
        console.print(table)
    for problem in problems.found:
        kind = "[red]error[/]  " if problem.is_error else "[yellow]warning[/]"
        console.print(f"{kind} {escape(problem.said(root))}", soft_wrap=True, highlight=False)
    usable = "" if count is None else f"{count} records usable, "
    console.print(f"{usable}{len(problems.errors)} errors, {len(problems.found) - len(problems.errors)} warnings")
    return 1 if problems.errors else 0


class Checked(NamedTuple):
    """Records that can be used, all that were found, and the targets as far as they were told."""

    records: list[HealthRecord]
    found: list[Found]
    targets: dict[str, Target]


def _own(options: argparse.Namespace, root: Path, problems: Problems) -> tuple[Checked, dict[str, str]]:
    checked = check(root, _labels(options.labels), problems)
    return checked, _splits(checked, options.split)


def _public(said: dict[str, str], split: int, root: Path, problems: Problems) -> tuple[Checked, dict[str, str]]:
    """A public set with the overrides ``said``, e.g. data.name=GunPoint."""
    overrides = [f"{key}={value}" for key, value in said.items() if key not in ("data", "paths.data_dir")]
    records, targets = read_set(said["data"], [f"data.cohort.split={split}", *overrides], root, problems)
    checked = Checked([record for own in records.values() for record in own], [], targets)
    _check_classes(root, checked, problems)
    return checked, {record.person_id: part for part, own in records.items() for record in own}


def check(root: Path, labels: dict[str, list[str]], problems: Problems) -> Checked:
    """Read everything under ``root``; what is wrong is noted in ``problems``. ``labels`` {}: as folder.json says."""
    if not root.exists():
        problems.error(root, "there is nothing")
        return Checked([], [], {})
    defaults, found = find_records(root, problems)
    targets = _declared(labels or defaults.labels, found)
    reading = Reading(targets=targets, signals=defaults.signals, units=_settings()["units"], is_decoding=True)
    records = [record for one in found if (record := build_record(one, reading, problems)) is not None]
    checked = Checked(records, found, targets)
    _check_classes(root, checked, problems)
    _check_units(root, records, problems)
    return checked


def report(checked: Checked, split_of: dict[str, str]) -> list[Table]:
    """Tables of parts, labels and splits."""
    records = checked.records
    parts = Table("part", "records", "missing", "rate (Hz)", "length (s)", "measured", "unit", title="what is there")
    for name in sorted({name for record in records for name in record.parts}):
        own = [record.parts[name] for record in records if name in record.parts]
        missing = f"{1 - len(own) / len(records):.0%}"
        signals = [part for part in own if isinstance(part, Signal)]
        lengths = [len(s.values) / s.rate_hz for s in signals] or [-p.start_s for p in own if isinstance(p, Clip)]
        if any(isinstance(part, Note) for part in own):
            lengths = []
        parts.add_row(
            name, str(len(own)), missing, _range(s.rate_hz for s in signals), _range(lengths),
            f"{np.mean([np.isfinite(s.values).mean() for s in signals]):.1%}" if signals else "",
            ", ".join(sorted({s.unit for s in signals})),
        )  # fmt: skip
    labels = Table("head", "label", *SPLITS, "people", title="labels: records per split, and people behind them")
    for head in sorted({head for record in records for head in record.targets}):
        having = [record for record in records if head in record.targets]
        for value, shown in _values(having, head, checked.targets):
            mine = [record for record in having if shown(record.targets[head])]
            count = Counter(split_of.get(record.person_id) for record in mine)
            people = {record.person_id for record in mine}
            labels.add_row(head, value, *(str(count[split]) for split in SPLITS), str(len(people)))
    people = Table("split", "people", "records", "most of one person", title="splits by person")
    for split in SPLITS:
        count = Counter(r.person_id for r in records if split_of.get(r.person_id) == split)
        people.add_row(split, str(len(count)), str(count.total()), str(max(count.values(), default=0)))
    return [parts, labels, people]


def _values(
    records: list[HealthRecord], name: str, targets: dict[str, Target]
) -> list[tuple[str, Callable[[object], bool]]]:
    """Every class and whether a target is it; one line for numbers."""
    values = [record.targets[name] for record in records]
    kind = targets[name].kind if name in targets else None
    if kind == "multilabel":
        return [(one, lambda value, i=i: value[i] == 1) for i, one in enumerate(targets[name].names)]
    if any(isinstance(value, dict | np.ndarray) for value in values):
        rows = [list(value.values()) if isinstance(value, dict) else value for value in values]
        numbers = np.concatenate([np.asarray(row, dtype=float) for row in rows])
        said = f"{np.nanmin(numbers):.4g} .. {np.nanmax(numbers):.4g}, mean {np.nanmean(numbers):.4g}"
        return [(said, lambda _: True)]
    if kind == "spans":
        names = sorted({span.label for value in values for span in value})
        return [(name, lambda target, name=name: any(span.label == name for span in target)) for name in names]
    if kind in ("classes", "ordinal"):
        return [(one, lambda value, i=i: value == i) for i, one in enumerate(targets[name].names)]
    return [(str(one), lambda value, one=one: value == one) for one in sorted(set(map(str, values)))]


def _range(numbers: Iterable[float]) -> str:
    values = sorted(numbers)
    if not values:
        return ""
    low, high = f"{values[0]:.4g}", f"{values[-1]:.4g}"
    return low if low == high else f"{low} .. {high}"


def _splits(checked: Checked, split: int) -> dict[str, str]:
    """By person: as the records say, else by hash with the shares of conf/data/folder.yaml."""
    said = {one.said.person: one.said.split for one in checked.found if one.said.split}
    people = sorted({record.person_id for record in checked.records})
    shares = {key: _settings()[key] for key in ("seed", "test", "val")}
    return said or (split_sources(people, split=split, **shares) if people else {})


@cache
def _settings() -> dict:
    """How training reads records of one's own: conf/data/folder.yaml."""
    return OmegaConf.to_container(compose_config(["data=folder"]).data.cohort)


def _check_classes(root: Path, checked: Checked, problems: Problems) -> None:
    records = checked.records
    for head in sorted({head for record in records for head in record.targets}):
        having = [record for record in records if head in record.targets]
        for value, shown in _values(having, head, checked.targets):
            people = {record.person_id for record in having if shown(record.targets[head])}
            if len(people) < MIN_PER_CLASS:
                problems.warn(root, f"{head} {value!r}: {len(people)} people, too few to be in every split")
    if records and not any(record.targets for record in records):
        problems.warn(root, "no record has a label: nothing can be trained")


def _check_units(root: Path, records: list[HealthRecord], problems: Problems) -> None:
    for name in sorted({name for record in records for name in record.parts}):
        units = Counter(r.parts[name].unit for r in records if isinstance(r.parts.get(name), Signal))
        if len(units) > 1:
            problems.warn(root, f"signal {name!r} is declared in {len(units)} units: {dict(units)}")


def _declared(labels: dict[str, list[str]], found: list[Found]) -> dict[str, Target]:
    """Targets of ``labels``, names by target; of which kind, the records that have them show."""
    kinds = {dict: "numbers", list: "multilabel"}
    said = {name: type(value) for one in found for name, value in one.said.labels.items() if value is not None}
    return {n: Target.declare(n, kind=kinds.get(said.get(n), "classes"), names=names) for n, names in labels.items()}


def _labels(said: list[str]) -> dict[str, list[str]]:
    """HEAD=A,B as {HEAD: [A, B]}."""
    pairs = [text.partition("=") for text in said]
    return {head: [label for label in classes.split(",") if label] for head, _, classes in pairs}


if __name__ == "__main__":
    raise SystemExit(main())
